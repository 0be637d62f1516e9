#include "multiprocessing/told_process.h"

#include <string>
#include <utility>

#include "multiprocessing/message.h"
#include "multiprocessing/process_control.h"
#include "multiprocessing/start_method.h"
#include "platform/spawn.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

constinit platform::atomic<bool> has_begun{false};
constinit platform::atomic<bool> is_main_prepared{false};

struct Told {
  std::vector<std::byte> bytes;
  Incoming incoming;
  pickle::Reader reader;
  FunctionName entry;

  Told(std::vector<std::byte> message, std::vector<platform::Descriptor> descriptors)
      : bytes(std::move(message)), incoming(std::move(descriptors)), reader(bytes, &incoming) {}
};

void call_entry(void* pointer) {
  auto& told = *static_cast<Told*>(pointer);
  if (told.entry.build.empty()) return;
  const auto entry = reinterpret_cast<Crossing::Entry>(find_function(told.entry));
  entry(told.reader);
}

// What a spawned process runs in place of main().
void live_as_spawned() {
  const platform::Inheritance& inheritance = platform::inheritance();
  // The kernel has named it after the link by which it was executed.
  platform::name_thread(platform::program_name().c_str());
  std::vector<platform::Descriptor> others;
  for (int i = 0; i < inheritance.others; ++i) others.emplace_back(inheritance.first_other + i);
  std::vector<std::byte> message;
  {
    const platform::Descriptor file(inheritance.message);
    message = platform::read_message(file);
  }
  live_as_told(std::move(message), std::move(others), Ending::as_a_program);
}

[[maybe_unused]] const bool prepared = (platform::run_instead_of_main(live_as_spawned), true);

}  // namespace

void live_as_told(std::vector<std::byte> message, std::vector<platform::Descriptor> descriptors,
                  Ending ending) {
  Told told(std::move(message), std::move(descriptors));
  try {
    auto read = pickle::unpack<Message>(told.reader);
    told.entry = std::move(read.entry);
    const platform::Descriptor life_line = told.incoming.take(read.life_line);
    set_start_method(read.identity.start_method);
    ProcessControl::become(std::move(read.identity), told.incoming.take(read.creator));
    if (life_line) tie_to_parent(life_line);
    has_begun.store(true, platform::relaxed);
    run_as_child({call_entry, &told}, ending);
  } catch (const std::exception& error) {
    platform::print_error(
        ("tutti: a process can't read what it is to do: " + std::string(error.what()) + "\n")
            .c_str());
    platform::end_process(1);
  }
}

bool is_bootstrapped() noexcept {
  return !platform::inheritance().was_spawned() || has_begun.load(platform::relaxed);
}

bool can_spawn() noexcept {
  return platform::can_run_instead_of_main() || is_main_prepared.load(platform::relaxed);
}

void freeze_support() {
  if (!is_bootstrapped()) live_as_spawned();
  is_main_prepared.store(true, platform::relaxed);
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
