#include <fmt/format.h>

#include <iostream>
#include <pqxx/pqxx>

#include "common/posix_file.h"
#include "storage/backup.h"
#include "tools/command.h"
#include "tools/connection_options.h"
#include "tools/text_table.h"

namespace idem::tools {

namespace {

struct BackupOptions {
  ConnectionOptions connection;
  std::string folder;
};

struct RestoreOptions {
  std::string backup, data;
};

int back_up(const BackupOptions& options) {
  pqxx::connection connection(options.connection.to_text());
  pqxx::nontransaction query(connection);
  const pqxx::row row = query.exec1("SELECT directory, commit, linked_files, copied_files, copied_bytes FROM backup(" +
                                    query.quote(options.folder) + ")");
  std::cout << fmt::format("{}: commit {}, {} files linked, {} copied ({})\n", row[0].c_str(), row[1].c_str(), row[2].c_str(),
                           row[3].c_str(), readable_bytes(row[4].as<uint64_t>()));
  return kExitOk;
}

int restore(const RestoreOptions& options) {
  const auto files = make_posix_file_system();
  const BackupReport report = restore_backup(*files, options.backup, options.data);
  std::cout << fmt::format("{}: {} files ({})\nVerify it with `idem check {}`, then start a server on it.\n", options.data,
                           report.copied_files, readable_bytes(report.copied_bytes), options.data);
  return kExitOk;
}

}  // namespace

void add_backup_commands(CLI::App& app, int* exit_code) {
  auto backup = std::make_shared<BackupOptions>();
  CLI::App* command = app.add_subcommand("backup", "Makes a consistent copy of the database while the server works");
  backup->connection.add_to(*command);
  command->add_option("folder", backup->folder, "where, on the server, within its backup_folder")->required();
  command->callback([backup, exit_code] { *exit_code = back_up(*backup); });

  auto options = std::make_shared<RestoreOptions>();
  command = app.add_subcommand("restore", "Makes a data folder of a backup");
  command->add_option("backup", options->backup, "the backup, a folder named backup-N")->required();
  command->add_option("data", options->data, "the data folder to make; missing or empty")->required();
  command->callback([options, exit_code] { *exit_code = restore(*options); });
}

}  // namespace idem::tools
