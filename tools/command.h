#pragma once

#include <CLI/CLI.hpp>

namespace idem::tools {

// Exit codes of `idem`.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // the server refused, or the folder is damaged
inline constexpr int kExitUsage = 2;   // wrong arguments, no server to talk to, no such file

// What keeps a command from beginning: ends the program with kExitUsage.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Each adds its subcommands to `app`. A command sets *exit_code; it may throw SqlError, UsageError and what libpqxx throws.
void add_status_commands(CLI::App& app, int* exit_code);
void add_sql_command(CLI::App& app, int* exit_code);
void add_import_command(CLI::App& app, int* exit_code);
void add_check_command(CLI::App& app, int* exit_code);
void add_backup_commands(CLI::App& app, int* exit_code);
void add_wal_command(CLI::App& app, int* exit_code);

}  // namespace idem::tools
