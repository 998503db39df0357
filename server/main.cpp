#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <limits.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <string>
#include <thread>
#include <unistd.h>

#include "common/error.h"
#include "server/configuration.h"
#include "server/server.h"

namespace {

void print_error(const idem::SqlError& error) {
  std::cerr << "idemdb: " << error.message() << "\n";
  if (!error.detail().empty()) std::cerr << "DETAIL: " << error.detail() << "\n";
  if (!error.hint().empty()) std::cerr << "HINT: " << error.hint() << "\n";
}

// Queries and starts touch hundreds of megabytes for the first time, and loads take and give back large buffers: in pages of 4 kB that can
// take longer than their work (docs/performance.md, "Huge pages"). glibc asks for huge ones only if it is told so before main(), and only in
// its first arena; others are given back to the system whenever they are empty. So this starts the program once more, in the same process,
// with an arena for each two cores. Whoever sets the variable keeps what it says.
void tune_allocator(char** argv) {
#if defined(__GLIBC__)
  // Buffers of large loads are megabytes; given back and taken anew each time, the system would clear their pages over
  // and over again.
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  constexpr const char* kVariable = "GLIBC_TUNABLES";
  char path[PATH_MAX] = {};
  if (std::getenv(kVariable) || ::readlink("/proc/self/exe", path, sizeof path - 1) <= 0) return;
  const unsigned arenas = std::max(std::thread::hardware_concurrency() / 2, 1u);
  const std::string tunables = "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=" + std::to_string(arenas);
  if (::setenv(kVariable, tunables.c_str(), 1) == 0) ::execv(path, argv);
#else
  static_cast<void>(argv);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  tune_allocator(argv);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    idem::ConfigurationSource source;
    int exit_code = 0;
    if (!source.parse_arguments(argc, argv, &exit_code)) return exit_code;
    const idem::Configuration configuration = source.read();
    idem::check_configuration(configuration);
    idem::ServerLog log(idem::log_options(configuration));

    idem::Server server(source, configuration, log);
    spdlog::info("data folder {}: {}", configuration.data, server.recovery_text());
    std::cout << "idemdb is ready: psql -h " << configuration.listen << " -p " << server.port()
              << " -U admin " << configuration.database;
    if (server.http_port()) std::cout << "; http://" << configuration.listen << ":" << *server.http_port();
    if (server.line_port()) std::cout << "; line protocol on port " << *server.line_port();
    std::cout << std::endl;
    server.run();
    return 0;
  } catch (const idem::SqlError& error) {
    print_error(error);
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "idemdb: " << error.what() << "\n";
    return 1;
  }
}
