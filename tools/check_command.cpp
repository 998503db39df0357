#include <fmt/format.h>
#include <iostream>
#include <set>

#include "common/error.h"
#include "storage/database_state.h"
#include "storage/folder_check.h"
#include "storage/log_record.h"
#include "storage/manifest.h"
#include "tools/command.h"
#include "tools/data_folder.h"
#include "tools/json_object.h"
#include "tools/text_table.h"
#include "wal/recovery.h"

namespace idem::tools {

namespace {

// Goes through all that the newest manifest names and the log after it.
class FolderCheck {
 public:
  FolderCheck(const std::string& path, bool verbose, bool json)
      : folder_(path), verbose_(verbose && !json), json_(json) {}

  // Whether all is as it was written.
  bool run() {
    guarded("manifest", [&] { check_manifest(); });
    if (json_) {
      JsonObject object;
      object.add("tables", tables_)
          .add("files", files_)
          .add("bytes", counts_.bytes)
          .add("rows", counts_.rows)
          .add("row_groups", counts_.row_groups);
      object.add("log_records", log_records_).add_json("damage", "[" + damage_ + "]");
      std::cout << object.text() << "\n";
      return findings_ == 0;
    }
    std::cout << fmt::format("{} tables, {} files, {}: {} rows in {} row groups, {} log records\n", tables_,
                             files_, readable_bytes(counts_.bytes), with_thousands(counts_.rows),
                             with_thousands(counts_.row_groups), with_thousands(log_records_));
    std::cout << (findings_ == 0 ? "no damage found\n"
                                 : fmt::format("damage found in {} places\n", findings_));
    return findings_ == 0;
  }

 private:
  template <class F>
  void guarded(const std::string& what, F&& check) {
    try {
      check();
    } catch (const SqlError& error) { report(what, 0, error.message()); }
  }

  void check_manifest() {
    const std::string path = folder_.current_manifest_path();
    const Manifest manifest = read_manifest(read_whole_file(folder_.files(), path).value_or_throw(), path);
    if (verbose_) std::cout << path << ": commit " << static_cast<uint64_t>(manifest.commit) << "\n";
    ++files_;
    for (const auto& [id, table] : manifest.tables) check_table(static_cast<TableId>(id), table, manifest);
    guarded("log", [&] { check_log(manifest); });
  }

  void check_table(TableId id, const ManifestTable& table, const Manifest& manifest) {
    ++tables_;
    for (const uint64_t segment : segments_of(table)) {
      if (!segments_.insert(segment).second) continue;
      const auto described = manifest.segments.find(segment);
      if (described == manifest.segments.end()) {
        throw sql_error(sqlstate::kDataCorrupted, "segment {} is not described", segment);
      }
      const SegmentDescription& place = described->second;
      count(segment_path(folder_.path(), place), [&](const std::string& path) {
        return check_segment(folder_.files(), path, reporter(), place.offset, place.size);
      });
    }
    for (const ManifestDictionary& dictionary : table.dictionaries) {
      if (dictionary.file_bytes == 0) continue;
      count(dictionary_path(folder_.path(), id, dictionary.column), [&](const std::string& path) {
        return check_dictionary_file(folder_.files(), path, dictionary.count, reporter());
      });
    }
  }

  // Of all its versions.
  static std::set<uint64_t> segments_of(const ManifestTable& table) {
    std::set<uint64_t> segments;
    std::set<const ManifestPartition*> seen;
    for (const ManifestVersion& version : table.versions) {
      version.partitions.for_each([&](const std::shared_ptr<const ManifestPartition>& partition) {
        if (!seen.insert(partition.get()).second) return;
        for (const ManifestSlice& slice : partition->slices) {
          segments.insert(slice.segment);
          if (slice.patch_segment != 0) segments.insert(slice.patch_segment);
        }
      });
    }
    return segments;
  }

  template <class F>
  void count(const std::string& path, F&& check) {
    const CheckCounts counts = check(path);
    ++files_;
    counts_.row_groups += counts.row_groups;
    counts_.rows += counts.rows;
    counts_.bytes += counts.bytes;
    if (verbose_)
      std::cout << fmt::format("{}: {} rows, {}\n", path, with_thousands(counts.rows),
                               readable_bytes(counts.bytes));
  }

  CheckReport reporter() {
    return [this](const CheckFinding& finding) { report(finding.path, finding.offset, finding.text); };
  }

  void report(const std::string& path, uint64_t offset, const std::string& text) {
    ++findings_;
    if (json_) {
      damage_ += (damage_.empty() ? "" : ",") +
                 JsonObject().add("path", path).add("offset", offset).add("text", text).text();
    } else {
      std::cout << fmt::format("DAMAGE {}{}: {}\n", path,
                               offset > 0 ? fmt::format(" at offset {}", offset) : "", text);
    }
  }

  void check_log(const Manifest& manifest) {
    const wal::RecoveryResult result =
        wal::recover(folder_.files(), folder_.log_path(), log_database_id(manifest.database_id),
                     wal::Position{manifest.log_position}, [&](const wal::Record& record) {
                       ++log_records_;
                       describe_log_record(record.payload);  // throws where the payload is none
                     });
    for (const wal::SegmentInfo& segment : result.segments) {
      ++files_;
      counts_.bytes += segment.file_bytes;
    }
    if (result.cut_bytes > 0 && !json_) {
      std::cout << fmt::format(
          "{}: {} bytes of an unfinished write at offset {}; they were never acknowledged, the next start "
          "cuts them\n",
          result.cut_path, result.cut_bytes, result.cut_offset);
    }
  }

  DataFolder folder_;
  const bool verbose_, json_;
  std::string damage_;  // with json_
  CheckCounts counts_;
  std::set<uint64_t> segments_;  // that were checked
  uint64_t tables_ = 0, files_ = 0, log_records_ = 0, findings_ = 0;
};

struct CheckOptions {
  std::string folder;
  bool verbose = false;
};

}  // namespace

void add_check_command(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command =
      app.add_subcommand("check", "Verifies every checksum of a data folder while no server runs on it");
  command->add_option("folder", options->folder, "the data folder")->required();
  command->add_flag("--verbose,-v", options->verbose, "name every file");
  command->callback([options, &invocation] {
    if (!FolderCheck(options->folder, options->verbose, invocation.json).run())
      invocation.exit_code = kExitFailed;
  });
}

}  // namespace idem::tools
