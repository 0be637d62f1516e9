#include "platform/explore/context.h"

#include <cxxabi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#define TUTTI_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TUTTI_ASAN 1
#endif
#endif
#ifdef TUTTI_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif

// void tutti_explore_switch(void** save, void* load): pushes the registers that a callee keeps,
// with the floating-point modes, leaves the stack pointer in *save, and takes all of it from
// `load`.
#if defined(__x86_64__)
asm(R"(
.text
.p2align 4
.globl tutti_explore_switch
.hidden tutti_explore_switch
.type tutti_explore_switch, @function
tutti_explore_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $8, %rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size tutti_explore_switch, .-tutti_explore_switch

.p2align 4
.globl tutti_explore_enter
.hidden tutti_explore_enter
.type tutti_explore_enter, @function
tutti_explore_enter:
  .cfi_startproc
  .cfi_undefined rip
  movq %r12, %rdi
  callq *%r13
  ud2
  .cfi_endproc
.size tutti_explore_enter, .-tutti_explore_enter
)");
#elif defined(__aarch64__)
asm(R"(
.text
.p2align 4
.globl tutti_explore_switch
.hidden tutti_explore_switch
.type tutti_explore_switch, %function
tutti_explore_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size tutti_explore_switch, .-tutti_explore_switch

.p2align 4
.globl tutti_explore_enter
.hidden tutti_explore_enter
.type tutti_explore_enter, %function
tutti_explore_enter:
  .cfi_startproc
  .cfi_undefined x30
  mov x0, x19
  blr x20
  brk #1
  .cfi_endproc
.size tutti_explore_enter, .-tutti_explore_enter
)");
#else
#error "exploring needs x86-64 or arm64"
#endif

extern "C" {
void tutti_explore_switch(void** save, void* load) noexcept;
void tutti_explore_enter();
}

namespace tutti::inline TUTTI_ABI::platform::exploring {

namespace {

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

// What the C++ ABI keeps for each thread: the stack of exceptions being handled, and how many are
// under way.
struct ExceptionGlobals {
  void* caught;
  unsigned int uncaught;
};
ExceptionGlobals& exception_globals() {
  return *reinterpret_cast<ExceptionGlobals*>(abi::__cxa_get_globals());
}

}  // namespace

Context* Context::own_thread_ = nullptr;

Stack::Stack(std::size_t size)
    : guard_(page_size()), size_((size + guard_ - 1) / guard_ * guard_), memory_(nullptr) {
  void* pages = mmap(nullptr, guard_ + size_, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (pages == MAP_FAILED || mprotect(pages, guard_, PROT_NONE) != 0) {
    std::fprintf(stderr, "tutti: no memory for a thread's stack of %zu bytes\n", size_);
    std::abort();
  }
  memory_ = static_cast<char*>(pages);
}

Stack::~Stack() {
  munmap(memory_, guard_ + size_);
}

AllocationsMayStay::AllocationsMayStay() noexcept {
#ifdef TUTTI_ASAN
  __lsan_disable();
#endif
}

AllocationsMayStay::~AllocationsMayStay() {
#ifdef TUTTI_ASAN
  __lsan_enable();
#endif
}

void Context::prepare(Stack& stack, void (*entry)(void*), void* argument) noexcept {
  bottom_ = stack.bottom();
  size_ = stack.size();
  fake_stack_ = nullptr;
  exceptions_ = {};
  errno_ = 0;
#ifdef TUTTI_ASAN
  // The frames of an earlier coroutine that never returned: one that ended leaves its first ones.
  constexpr std::size_t first_frames = 4096;
  const std::size_t left = stack.is_abandoned ? stack.size() : first_frames;
  __asan_unpoison_memory_region(stack.bottom() + stack.size() - left, left);
  stack.is_abandoned = false;
#endif
  auto* top = reinterpret_cast<void**>(stack.bottom() + stack.size());
  *--top = nullptr;
#if defined(__x86_64__)
  // Read as tutti_explore_switch pops them; the stack is aligned to 16 bytes at the call in
  // tutti_explore_enter.
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(tutti_explore_enter);
  *--top = nullptr;                         // rbp
  *--top = nullptr;                         // rbx
  *--top = argument;                        // r12
  *--top = reinterpret_cast<void*>(entry);  // r13
  *--top = nullptr;                         // r14
  *--top = nullptr;                         // r15
  --top;                                    // floating-point modes: as they are here
  std::uint32_t modes[2] = {0, 0};
  asm volatile("stmxcsr %0" : "=m"(modes[0]));
  asm volatile("fnstcw %0" : "=m"(modes[1]));
  std::memcpy(top, modes, sizeof modes);
#else
  --top;
  top -= 20;
  std::memset(top, 0, 160);
  top[0] = argument;                                       // x19
  top[1] = reinterpret_cast<void*>(entry);                 // x20
  top[11] = reinterpret_cast<void*>(tutti_explore_enter);  // x30
#endif
  stack_pointer_ = top;
}

void Context::switch_to(Context& next) noexcept {
  ExceptionGlobals& exceptions = exception_globals();
  exceptions_.caught = exceptions.caught;
  exceptions_.uncaught = exceptions.uncaught;
  errno_ = errno;
  exceptions.caught = next.exceptions_.caught;
  exceptions.uncaught = next.exceptions_.uncaught;
#ifdef TUTTI_ASAN
  if (bottom_ == nullptr) own_thread_ = this;
  __sanitizer_start_switch_fiber(&fake_stack_, next.bottom_, next.size_);
#endif
  tutti_explore_switch(&stack_pointer_, next.stack_pointer_);
  arrived();
  errno = errno_;
}

void Context::arrived() noexcept {
#ifdef TUTTI_ASAN
  const void* left_bottom = nullptr;
  std::size_t left_size = 0;
  __sanitizer_finish_switch_fiber(fake_stack_, &left_bottom, &left_size);
  if (own_thread_ != nullptr && own_thread_->bottom_ == nullptr) {
    own_thread_->bottom_ = left_bottom;
    own_thread_->size_ = left_size;
  }
#endif
}

}  // namespace tutti::inline TUTTI_ABI::platform::exploring
