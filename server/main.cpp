#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <malloc.h>

#include <csignal>
#include <iostream>

#include "common/error.h"
#include "server/configuration.h"
#include "server/server.h"

namespace {

void print_error(const idem::SqlError& error) {
  std::cerr << "idemdb: " << error.message() << "\n";
  if (!error.detail().empty()) std::cerr << "DETAIL: " << error.detail() << "\n";
  if (!error.hint().empty()) std::cerr << "HINT: " << error.hint() << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
#if defined(__GLIBC__)
  // Buffers of large loads are megabytes; given back and taken anew each time, the system would clear their pages over
  // and over again.
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
  try {
    idem::Configuration configuration;
    int exit_code = 0;
    if (!idem::read_configuration(argc, argv, &configuration, &exit_code)) return exit_code;
    idem::check_configuration(configuration);
    spdlog::set_default_logger(spdlog::stderr_logger_mt("idemdb"));
    spdlog::set_level(spdlog::level::from_str(configuration.log_level));

    idem::Server server(configuration);
    spdlog::info("data folder {}: {}", configuration.data, server.recovery_text());
    std::cout << "idemdb is ready: psql -h " << configuration.listen << " -p " << server.port() << " -U admin "
              << configuration.database;
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
