#include <csignal>
#include <fmt/format.h>
#include <iostream>

#include "common/error.h"
#include "tools/command.h"
#include "tools/json_object.h"

namespace {

using namespace idem::tools;

void print_error(const idem::SqlError& error, bool json) {
  if (json) {
    std::string message = error.message();
    if (message.starts_with(error.sqlstate())) message.erase(0, error.sqlstate().size() + 2);  // "42P01: …"
    JsonObject object;
    object.add("error", message).add("sqlstate", error.sqlstate());
    if (!error.context().empty()) object.add("context", error.context());
    if (!error.detail().empty()) object.add("detail", error.detail());
    if (!error.hint().empty()) object.add("hint", error.hint());
    std::cerr << object.text() << "\n";
    return;
  }
  std::cerr << "idem: " << error.message() << "\n";
  if (!error.context().empty()) std::cerr << "WHERE: " << error.context() << "\n";
  if (!error.detail().empty()) std::cerr << "DETAIL: " << error.detail() << "\n";
  if (!error.hint().empty()) std::cerr << "HINT: " << error.hint() << "\n";
}

void print_text(const std::string& text, bool json) {
  if (json) std::cerr << JsonObject().add("error", text).text() << "\n";
  else std::cerr << "idem: " << text << "\n";
}

UsageError unknown_command(const std::string& name) {
  return UsageError(fmt::format("there is no command \"{}\"; idem help lists them", name));
}

void add_help_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("help", "Prints this, or the options of a command");
  auto name = std::make_shared<std::string>();
  command->add_option("command", *name, "the command");
  command->callback([&app, name] {
    const auto print = [&](const CLI::App& of, const std::string& called) {
      std::cout << app.get_formatter()->make_help(&of, called, CLI::AppFormatMode::Normal);
    };
    if (name->empty()) return print(app, app.get_name());
    try {
      print(*app.get_subcommand(*name), app.get_name() + " " + *name);
    } catch (const CLI::OptionNotFound&) { throw unknown_command(*name); }
  });
}

// What the parser of arguments calls a missing subcommand may be one that does not exist.
std::string usage_text(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> unknown = app.remaining();
  if (app.get_subcommands().empty() && !unknown.empty() && !unknown[0].starts_with("-"))
    return unknown_command(unknown[0]).what();
  return std::string(error.what()) + "; --help says more";
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Administers an IdemDB server and its data folder", "idem");
  app.set_version_flag("--version", "idem " IDEM_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // --json may stand behind the command, too
  app.footer("Exit codes: 0 done, 1 refused by the server or damage found, 2 wrong arguments or no server.");
  Invocation invocation;
  app.add_flag("--json", invocation.json, "print JSON, with any command");
  add_local_server_commands(app, invocation);
  add_status_commands(app, invocation);
  add_top_command(app, invocation);
  add_sql_command(app, invocation);
  add_import_command(app, invocation);
  add_export_command(app, invocation);
  add_version_commands(app, invocation);
  add_check_command(app, invocation);
  add_backup_commands(app, invocation);
  add_wal_command(app, invocation);
  add_bench_command(app, invocation);
  add_help_command(app);
  add_completion_command(app, invocation);
  try {
    app.parse(argc, argv);
    return invocation.exit_code;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    print_text(usage_text(app, error), app.count("--json") > 0);
    return kExitUsage;
  } catch (const UsageError& error) {
    print_text(error.what(), invocation.json);
    return kExitUsage;
  } catch (const idem::SqlError& error) {
    print_error(error, invocation.json);
    return kExitFailed;
  } catch (const std::exception& error) {
    print_text(error.what(), invocation.json);
    return kExitFailed;
  }
}
