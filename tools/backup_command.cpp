#include <fmt/format.h>
#include <iostream>

#include "common/posix_file.h"
#include "storage/backup.h"
#include "tools/command.h"
#include "tools/connection_options.h"
#include "tools/json_object.h"
#include "tools/server_link.h"

namespace idem::tools {

namespace {

struct BackupOptions {
  ConnectionOptions connection;
  std::string folder;
};

struct UnpackOptions {
  std::string backup, data;
};

void back_up(const BackupOptions& options, const Invocation& invocation) {
  ServerLink link(options.connection.to_text());
  const TextTable done =
      link.query("SELECT directory, commit, linked_files, copied_files, copied_bytes FROM backup(" +
                 quoted_literal(options.folder) + ")");
  if (invocation.json) {
    std::cout << done.json_row(0) << "\n";
  } else {
    std::cout << fmt::format("{}: commit {}, {} files linked, {} copied ({})\n", done.cell(0, 0).value_or(""),
                             done.number(0, 1), done.number(0, 2), done.number(0, 3),
                             readable_bytes(done.number(0, 4)));
  }
}

void unpack(const UnpackOptions& options, const Invocation& invocation) {
  const auto files = make_posix_file_system();
  const BackupReport report = restore_backup(*files, options.backup, options.data);
  if (invocation.json) {
    std::cout << JsonObject()
                     .add("data", options.data)
                     .add("files", report.copied_files)
                     .add("bytes", report.copied_bytes)
                     .text()
              << "\n";
  } else {
    std::cout << fmt::format(
        "{}: {} files ({})\nVerify it with `idem check {}`, then start a server on it.\n", options.data,
        report.copied_files, readable_bytes(report.copied_bytes), options.data);
  }
}

}  // namespace

void add_backup_commands(CLI::App& app, Invocation& invocation) {
  auto backup = std::make_shared<BackupOptions>();
  CLI::App* command =
      app.add_subcommand("backup", "Makes a consistent copy of the database while the server works");
  backup->connection.add_to(*command);
  command->add_option("folder", backup->folder, "where, on the server, within its backup_folder")->required();
  command->callback([backup, &invocation] { back_up(*backup, invocation); });

  auto options = std::make_shared<UnpackOptions>();
  command = app.add_subcommand("restore-backup", "Makes a data folder of a backup");
  command->add_option("backup", options->backup, "the backup, a folder named backup-N")->required();
  command->add_option("data", options->data, "the data folder to make; missing or empty")->required();
  command->callback([options, &invocation] { unpack(*options, invocation); });
}

}  // namespace idem::tools
