// Runs the proofs by one strategy until one of them fails: hunt STRATEGY
//
// Prints the proof, the kind of failure, and how many schedules of the proof were run by then; or
// "missed" and how many of all proofs were run in vain.
#include <cstdint>
#include <cstdio>
#include <string>

#include "explore/proofs/proofs.h"

namespace {

using namespace tutti;

explore::Options by(const std::string& strategy, explore::Options options) {
  options.shrink = false;
  if (strategy == "depth-first") {
    // With a relaxed memory model there are too many schedules for it.
    options.strategy = explore::Strategy::depth_first;
    options.schedules = 30'000;
    return options;
  }
  options.strategy = strategy == "random" ? explore::Strategy::random
                     : strategy == "PCT"  ? explore::Strategy::pct
                                          : explore::Strategy::pos;
  options.preemptions.reset();
  options.schedules = 5'000;
  return options;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string strategy = count > 1 ? arguments[1] : "depth-first";
  std::uint64_t schedules = 0;
  for (const tests::Proof& proof : tests::proofs()) {
    const explore::Result result = explore::check(proof.body, by(strategy, proof.options));
    const std::uint64_t run = result.schedules + result.cut_short;
    schedules += run;
    if (!result.failure) continue;
    std::printf("%s|%s|%llu\n", proof.name.c_str(), explore::to_string(result.failure->kind),
                static_cast<unsigned long long>(run));
    return 0;
  }
  std::printf("missed||%llu\n", static_cast<unsigned long long>(schedules));
  return 1;
}
