#include "tutti/multiprocessing/process.h"

#include <utility>

#include "multiprocessing/children.h"
#include "multiprocessing/process_control.h"
#include "runtime/self.h"
#include "threading/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

Process::Process() : Process(ProcessOptions{}) {}

Process::Process(ProcessOptions options) {
  if (options.group != nullptr) {
    threading::throw_bad_value("group argument must be null for now");
  }
  control_ = std::make_shared<ProcessControl>(std::move(options));
}

Process::Process(std::shared_ptr<ProcessControl> control) noexcept : control_(std::move(control)) {}
Process::Process(const Process& other) noexcept = default;
Process& Process::operator=(const Process& other) noexcept = default;
Process::~Process() = default;

void Process::start() {
  runtime::self();
  control_->start(*this);
}
void Process::run() {
  control_->run_target();
}
void Process::join(Timeout timeout) {
  runtime::self();  // The gate comes first: after the end, a daemon's handle may be gone.
  control_->join(timeout.deadline());
}
bool Process::is_alive() const {
  return control_->is_alive();
}
void Process::terminate() {
  control_->signal(platform::terminate_signal, "terminate");
}
void Process::kill() {
  control_->signal(platform::kill_signal, "kill");
}
void Process::interrupt() {
  control_->signal(platform::interrupt_signal, "interrupt");
}
void Process::close() {
  control_->close();
}
std::string Process::name() const {
  return control_->name();
}
void Process::set_name(std::string name) {
  control_->set_name(std::move(name));
}
bool Process::daemon() const noexcept {
  return control_->is_daemon();
}
void Process::set_daemon(bool daemon) {
  control_->set_daemon(daemon);
}
std::optional<std::uint32_t> Process::pid() const {
  return control_->process();
}
std::optional<int> Process::exitcode() const {
  return control_->exit_code();
}
int Process::sentinel() const {
  return control_->sentinel();
}
std::string Process::authkey() const {
  return control_->authkey();
}
void Process::set_authkey(std::string key) {
  control_->set_authkey(std::move(key));
}
std::string Process::to_string() const {
  return control_->to_string();
}

Process current_process() {
  return ProcessControl::handle_of(ProcessControl::current());
}

std::optional<Process> parent_process() {
  std::shared_ptr<ProcessControl> parent = ProcessControl::current()->parent();
  if (parent == nullptr) return std::nullopt;
  return ProcessControl::handle_of(std::move(parent));
}

std::vector<Process> active_children() {
  std::vector<Process> processes;
  for (std::shared_ptr<ProcessControl>& child : children::living()) {
    processes.push_back(ProcessControl::handle_of(std::move(child)));
  }
  return processes;
}

int cpu_count() noexcept {
  return platform::installed_cores();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
