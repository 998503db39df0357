#include <cstdint>
#include <iostream>
#include <limits>

#include "common/error.h"
#include "common/json_text.h"
#include "storage/log_record.h"
#include "tools/command.h"
#include "tools/data_folder.h"
#include "wal/log_dump.h"

namespace idem::tools {

namespace {

struct DumpOptions {
  std::string folder;
  uint64_t from = 0, limit = std::numeric_limits<uint64_t>::max();
};

void dump(const DumpOptions& options, bool json) {
  DataFolder folder(options.folder);
  // The renderer is asked right before the line of its record is given out.
  bool is_record = false, wanted = true;
  uint64_t shown = 0;
  const auto render = [&](const wal::Record& record) {
    is_record = true;
    wanted = record.extent.begin.value >= options.from && shown < options.limit;
    try {
      return wanted ? describe_log_record(record.payload) : std::string();
    } catch (const SqlError& error) { return "payload cannot be read: " + error.message(); }
  };
  std::string separator = json ? "[" : "";
  wal::dump_log(folder.files(), folder.log_path(), render, [&](const std::string& line) {
    if (!is_record || wanted) {
      std::cout << separator << (json ? json_quoted(line) : line + "\n");
      if (json) separator = ",\n ";
    }
    shown += is_record && wanted;
    is_record = false;
  });
  if (json) std::cout << (separator == "[" ? "[]\n" : "]\n");
}

}  // namespace

void add_wal_command(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<DumpOptions>();
  CLI::App* wal = app.add_subcommand("wal", "Looks into the log");
  wal->require_subcommand(1);
  CLI::App* command = wal->add_subcommand(
      "dump", "Lists the segments and records of the log while no server runs on the folder");
  command->add_option("folder", options->folder, "the data folder")->required();
  command->add_option("--from", options->from, "leave out records before this position");
  command->add_option("--limit", options->limit, "show at most so many records");
  command->callback([options, &invocation] { dump(*options, invocation.json); });
}

}  // namespace idem::tools
