#include <csignal>
#include <iostream>
#include <spdlog/spdlog.h>
#include <string>

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
