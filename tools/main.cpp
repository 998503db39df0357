#include <csignal>
#include <iostream>
#include <pqxx/except>

#include "common/error.h"
#include "tools/command.h"

namespace {

using namespace idem::tools;

int print_error(const idem::SqlError& error) {
  std::cerr << "idem: " << error.message() << "\n";
  if (!error.context().empty()) std::cerr << "WHERE: " << error.context() << "\n";
  if (!error.detail().empty()) std::cerr << "DETAIL: " << error.detail() << "\n";
  if (!error.hint().empty()) std::cerr << "HINT: " << error.hint() << "\n";
  return kExitFailed;
}

// libpqxx hands on the server's text as it is, ending in a newline.
void print_text(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::cerr << "idem: " << text << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Administers an IdemDB server and its data folder", "idem");
  app.set_version_flag("--version", "idem " IDEM_VERSION);
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 refused by the server or damage found, 2 wrong arguments or no server.");
  int exit_code = kExitOk;
  add_status_commands(app, &exit_code);
  add_sql_command(app, &exit_code);
  add_import_command(app, &exit_code);
  add_check_command(app, &exit_code);
  add_backup_commands(app, &exit_code);
  add_wal_command(app, &exit_code);
  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  } catch (const UsageError& error) {
    print_text(error.what());
    return kExitUsage;
  } catch (const idem::SqlError& error) {
    return print_error(error);
  } catch (const pqxx::broken_connection& error) {
    print_text(error.what());
    return kExitUsage;
  } catch (const std::exception& error) {
    print_text(error.what());
    return kExitFailed;
  }
}
