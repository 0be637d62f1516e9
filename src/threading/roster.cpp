#include "threading/roster.h"

#include <utility>

#include "runtime/chain.h"
#include "runtime/shutdown.h"
#include "runtime/wait_graph.h"
#include "runtime/waiting.h"
#include "sync/parking_lot.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::threading::roster {

namespace {

using runtime::Guard;

constinit Guard guard;  // Guards what follows.
constinit runtime::Chain<ThreadControl> controls;
constinit bool is_closed = false;
constinit platform::atomic<void (*)() noexcept> announce_end{nullptr};

// Never destroyed: threads may outlive static objects.
std::shared_ptr<ThreadControl>& main_control() {
  static auto& control = *new std::shared_ptr<ThreadControl>;
  return control;
}

// Keeps a thread's control alive and in the roster until the kernel thread is about to end, after
// its thread_local objects are gone.
class Attachment {
 public:
  explicit Attachment(std::shared_ptr<ThreadControl> control) noexcept
      : control_(std::move(control)) {}
  ~Attachment() {
    if (control_ == nullptr) return;
    control_->finish();
    remove(*control_);
    control_->release_joiners();
  }
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  const std::shared_ptr<ThreadControl>& control() const noexcept { return control_; }
  void undo() noexcept {
    remove(*control_);
    control_.reset();
  }

 private:
  std::shared_ptr<ThreadControl> control_;
};

void welcome(runtime::Self& self) {
  if (self.thread != nullptr) return;
  auto control = std::make_shared<ThreadControl>(
      self.is_main ? ThreadControl::Origin::main : ThreadControl::Origin::foreign, self);
  add(*control);
  if (self.is_main) {
    const runtime::GuardHolder held(guard);
    main_control() = control;
  }
  self.thread = std::make_shared<Attachment>(std::move(control));
}

std::shared_ptr<ThreadControl> first_that_holds_up_the_end(const ThreadControl* except) {
  const runtime::GuardHolder held(guard);
  for (ThreadControl* control = controls.first(); control != nullptr; control = control->next) {
    if (control != except && control->holds_up_the_end()) return control->shared_from_this();
  }
  is_closed = true;  // Under the guard, so that none starts between here and the end.
  return nullptr;
}

// Runs in the thread that ends the program, before static objects are destroyed.
void join_all() {
  const std::shared_ptr<ThreadControl> self = ThreadControl::current();
  // Main has done its work: whoever joins it may go on.
  if (self == main_control()) {
    self->finish();
    self->release_joiners();
  }
  // An exception would find nobody here; if the end is in a ring of waits, another one throws.
  runtime::self().must_not_fail = true;
  if (auto* announce = announce_end.load(platform::acquire)) announce();
  try {
    while (const auto control = first_that_holds_up_the_end(self.get())) {
      // One whose start is failing at this moment is not for joining, and soon not in the roster.
      if (control->is_started()) control->join(platform::never);
    }
  } catch (const KeyboardInterrupt&) {
    platform::print_error("tutti: interrupted while waiting for threads; ending without them\n");
  }
  runtime::self().must_not_fail = false;
}

// Allocates nothing, so it keeps no control alive; the guard does for so long.
runtime::ThreadId joined_thread(runtime::ThreadId /*waiting*/,
                                const runtime::WaitRecord& record) noexcept {
  const runtime::GuardHolder held(guard);
  for (ThreadControl* control = controls.first(); control != nullptr; control = control->next) {
    if (control == reinterpret_cast<const void*>(record.object)) return control->id();
  }
  return 0;
}

void stop(runtime::Self& self) {
  if (self.thread != nullptr) static_cast<Attachment*>(self.thread.get())->control()->stop();
}

void before_fork() {
  guard.lock();
}

void in_parent() {
  guard.unlock();
}

// The forking thread is the only one left, and the main thread.
void in_child() {
  runtime::Self* self = runtime::registered_self();
  ThreadControl* survivor = self == nullptr || self->thread == nullptr
                                ? nullptr
                                : static_cast<Attachment*>(self->thread.get())->control().get();
  for (ThreadControl* control = controls.first(); control != nullptr;) {
    ThreadControl* next = control->next;
    if (control != survivor) control->vanish();
    control = next;
  }
  controls = {};
  if (survivor != nullptr) {
    controls.push_back(*survivor);
    survivor->survive_fork(*self);
    main_control() = survivor->shared_from_this();
  }
  guard.reset();
}

[[maybe_unused]] const bool prepared = [] {
  // The order matters in a fork's child: the layers below have been put in order before.
  runtime::Self& self = runtime::self();
  sync::prepare_parking_lot();
  platform::around_fork({before_fork, in_parent, in_child});
  platform::on_restart([] {
    controls = {};
    is_closed = false;
    main_control().reset();
  });
  platform::on_restart([] { guard.reset(); }, platform::Restart::after_loss);
  runtime::set_holder_finder(runtime::WaitKind::join, joined_thread);
  runtime::before_ending(join_all);
  runtime::at_registration(welcome);
  runtime::before_stopping(stop);
  welcome(self);
  return true;
}();

}  // namespace

bool add(ThreadControl& control) noexcept {
  const runtime::GuardHolder held(guard);
  if (is_closed && !control.is_running()) return false;
  controls.push_back(control);
  return true;
}

void remove(ThreadControl& control) noexcept {
  const runtime::GuardHolder held(guard);
  const bool is_in = control.previous != nullptr || controls.first() == &control;
  if (is_in) controls.remove(control);
}

std::vector<std::shared_ptr<ThreadControl>> living() {
  std::vector<std::shared_ptr<ThreadControl>> found;
  const runtime::GuardHolder held(guard);
  for (ThreadControl* control = controls.first(); control != nullptr; control = control->next) {
    if (control->is_alive()) found.push_back(control->shared_from_this());
  }
  return found;
}

std::shared_ptr<ThreadControl> find(const void* address) {
  const runtime::GuardHolder held(guard);
  for (ThreadControl* control = controls.first(); control != nullptr; control = control->next) {
    if (control == address) return control->shared_from_this();
  }
  return nullptr;
}

std::shared_ptr<ThreadControl> main_thread() {
  const runtime::GuardHolder held(guard);
  return main_control();
}

void before_join_of_all(void (*function)() noexcept) noexcept {
  announce_end.store(function, platform::release);
}

std::shared_ptr<void> attachment(std::shared_ptr<ThreadControl> control) {
  return std::make_shared<Attachment>(std::move(control));
}

void detach(runtime::Self& self) noexcept {
  if (self.thread != nullptr) static_cast<Attachment*>(self.thread.get())->undo();
}

std::shared_ptr<ThreadControl> attached_to(runtime::Self& self) {
  welcome(self);
  return static_cast<Attachment*>(self.thread.get())->control();
}

}  // namespace tutti::inline TUTTI_ABI::threading::roster
