// The deterministic simulation: one seed gives one history of the database on a simulated disk.
//
//   simulation --seed N [--steps M] [--trace]    one history; --trace tells each step
//   simulation --seeds A..B [--steps M]          many; a seed that fails is printed and reproduces

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "tests/simulation/simulation.h"

namespace {

struct Arguments {
  uint64_t first = 1, last = 1, steps = 200;
  bool trace = false;
};

[[noreturn]] void usage() {
  std::fprintf(stderr, "usage: simulation --seed N | --seeds A..B [--steps M] [--trace]\n");
  std::exit(2);
}

uint64_t number(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos || text.size() > 19) usage();
  return std::stoull(text);
}

Arguments read_arguments(int argc, char** argv) {
  Arguments arguments;
  bool seeded = false;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--trace") {
      arguments.trace = true;
      continue;
    }
    if (i + 1 == argc) usage();
    const std::string value = argv[++i];
    if (name == "--seed") {
      arguments.first = arguments.last = number(value);
      seeded = true;
    } else if (name == "--seeds") {
      const size_t dots = value.find("..");
      if (dots == std::string::npos) usage();
      arguments.first = number(value.substr(0, dots));
      arguments.last = number(value.substr(dots + 2));
      seeded = true;
    } else if (name == "--steps") {
      arguments.steps = number(value);
    } else {
      usage();
    }
  }
  if (!seeded || arguments.first > arguments.last) usage();
  return arguments;
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = read_arguments(argc, argv);
  uint64_t failed = 0, commits = 0, restarts = 0;
  for (uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
    try {
      idem::simulation::Simulation simulation(seed, arguments.trace);
      simulation.run(arguments.steps);
      commits += simulation.commits();
      restarts += simulation.restarts();
      if (seed != arguments.first) continue;
      // One seed, one history: else a failure would not reproduce.
      idem::simulation::Simulation again(seed, false);
      again.run(arguments.steps);
      if (again.fingerprint() == simulation.fingerprint()) continue;
      std::printf("seed %llu: two runs of it differ\n", static_cast<unsigned long long>(seed));
    } catch (const std::exception& error) {
      std::printf("seed %llu failed: %s\nrepeat it with: simulation --seed %llu --steps %llu --trace\n",
                  static_cast<unsigned long long>(seed), error.what(), static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(arguments.steps));
    }
    ++failed;
  }
  const uint64_t histories = arguments.last - arguments.first + 1;
  std::printf("%llu histories, %llu commits, %llu restarts, %llu failed\n",
              static_cast<unsigned long long>(histories), static_cast<unsigned long long>(commits),
              static_cast<unsigned long long>(restarts), static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
