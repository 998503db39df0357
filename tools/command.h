#pragma once

#include <CLI/CLI.hpp>

namespace idem::tools {

// Exit codes of `idem`.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // the server refused, or the folder is damaged
inline constexpr int kExitUsage = 2;   // wrong arguments, no server to talk to, no such file

// What all commands share.
struct Invocation {
  bool json = false;  // print JSON instead of text, errors too
  int exit_code = kExitOk;
};

// What keeps a command from beginning: ends the program with kExitUsage.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Each adds its subcommands to `app`. A command sets exit_code where it is not kExitOk; it may throw SqlError and UsageError.
void add_local_server_commands(CLI::App& app, Invocation& invocation);
void add_status_commands(CLI::App& app, Invocation& invocation);
void add_top_command(CLI::App& app, Invocation& invocation);
void add_sql_command(CLI::App& app, Invocation& invocation);
void add_import_command(CLI::App& app, Invocation& invocation);
void add_export_command(CLI::App& app, Invocation& invocation);
void add_version_commands(CLI::App& app, Invocation& invocation);
void add_check_command(CLI::App& app, Invocation& invocation);
void add_backup_commands(CLI::App& app, Invocation& invocation);
void add_wal_command(CLI::App& app, Invocation& invocation);
void add_bench_command(CLI::App& app, Invocation& invocation);
// Last: it knows the others.
void add_completion_command(CLI::App& app, Invocation& invocation);

}  // namespace idem::tools
