#include "storage/backup.h"

#include <algorithm>
#include <cerrno>

#include "common/error.h"
#include "storage/database_state.h"
#include "wal/segment_format.h"

namespace idem {

namespace {

constexpr size_t kCopyBytes = size_t{1} << 20;
constexpr std::string_view kPartial = ".partial";

// Puts files of one folder tree into another and counts them.
class TreeWriter {
 public:
  TreeWriter(FileSystem& files, BackupReport* report) : files_(files), report_(report) {}

  void make_folder(const std::string& path) {
    make_directories(files_, path).throw_if_error();
    folders_.push_back(path);
  }

  // The first `size` bytes, or all of it as it is now.
  void copy(const std::string& from, const std::string& to, uint64_t size = UINT64_MAX) {
    const auto source = files_.open(from, OpenMode::kRead).value_or_throw();
    const auto target = files_.open(to, OpenMode::kCreate).value_or_throw();
    size = std::min(size, source->size().value_or_throw());
    std::string bytes(static_cast<size_t>(std::min<uint64_t>(size, kCopyBytes)), '\0');
    for (uint64_t at = 0; at < size;) {
      const auto count = static_cast<size_t>(std::min<uint64_t>(size - at, bytes.size()));
      source->read_exact_at(at, bytes.data(), count).throw_if_error();
      target->write_at(at, bytes.data(), count).throw_if_error();
      at += count;
    }
    target->sync_all().throw_if_error();
    ++report_->copied_files;
    report_->copied_bytes += size;
  }

  // False where the file is gone or a link cannot be made from there.
  bool link(const std::string& from, const std::string& to) {
    const IoStatus linked = files_.link(from, to);
    if (!linked.ok()) {
      const IoError& error = linked.error();
      const bool no_links =
          error.code == EXDEV || error.code == EPERM || error.code == EMLINK || error.code == ENOTSUP;
      if (!no_links && !error.is_not_found()) linked.throw_if_error();
      return false;
    }
    ++report_->linked_files;
    return true;
  }

  // Those within come before what holds them.
  void sync_folders() {
    for (size_t i = folders_.size(); i-- > 0;) files_.sync_directory(folders_[i]).throw_if_error();
  }

 private:
  FileSystem& files_;
  BackupReport* report_;
  std::vector<std::string> folders_;
};

std::vector<DirectoryEntry> entries_of(FileSystem& files, const std::string& path) {
  IoResult<std::vector<DirectoryEntry>> list = files.list(path);
  if (!list.ok() && list.error().is_not_found()) return {};
  std::vector<DirectoryEntry> entries = list.value_or_throw();
  std::sort(entries.begin(), entries.end(),
            [](const DirectoryEntry& a, const DirectoryEntry& b) { return a.name < b.name; });
  return entries;
}

void remove_tree(FileSystem& files, const std::string& path) {
  for (const DirectoryEntry& entry : entries_of(files, path)) {
    const std::string below = join_path(path, entry.name);
    if (entry.is_directory) {
      remove_tree(files, below);
    } else {
      files.remove(below).throw_if_error();
    }
  }
  files.remove(path).throw_if_error();
}

bool is_backup_name(std::string_view name) {
  return name.starts_with("backup-") && !name.ends_with(kPartial);
}

// The newest whole backup in the folder, "" if there is none: its segments need not be copied again.
std::string newest_backup(FileSystem& files, const std::string& target) {
  std::string newest;
  for (const DirectoryEntry& entry : entries_of(files, target)) {
    if (entry.is_directory && is_backup_name(entry.name)) newest = std::max(newest, entry.name);
  }
  return newest.empty() ? "" : join_path(target, newest);
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Under checkpoint_mutex: no manifest is written, no segment of the log given back, nothing that they name
// removed.
class BackupWriter {
 public:
  BackupWriter(DatabaseState& db, std::string target, BackupReport* report)
      : db_(db), target_(std::move(target)), report_(report), tree_(db.files, report) {}

  void write() {
    // What is named by a record of the log that is copied is on the disk by now.
    const wal::Position durable = db_.log->durable_position();
    report_->commit = std::max(db_.manifest_commit, static_cast<CommitNumber>(db_.log->durable_commit()));
    const std::string current = read_whole_file(db_.files, join_path(db_.folder, "CURRENT")).value_or_throw();
    const std::string manifest = current.substr(0, current.find('\n'));

    make_directories(db_.files, target_).throw_if_error();
    const std::string name = fmt::format("backup-{:020}", static_cast<uint64_t>(report_->commit));
    report_->directory = join_path(target_, name);
    if (db_.files.exists(report_->directory).value_or_throw()) {
      // Nothing was committed since. Its name may not be synced yet if the attempt that made it failed
      // thereafter.
      return db_.files.sync_directory(target_).throw_if_error();
    }
    const std::string before = newest_backup(db_.files, target_);
    folder_ = report_->directory + std::string(kPartial);
    if (db_.files.exists(folder_).value_or_throw()) remove_tree(db_.files, folder_);
    try {
      tree_.make_folder(folder_);
      for (const char* part : {"manifests", "log", "tables"}) tree_.make_folder(join_path(folder_, part));
      tree_.copy(join_path(join_path(db_.folder, "manifests"), manifest),
                 join_path(join_path(folder_, "manifests"), manifest));
      copy_log(durable);
      for (const DirectoryEntry& table : entries_of(db_.files, join_path(db_.folder, "tables"))) {
        if (table.is_directory) copy_table(table.name, before);
      }
      // Last, so that a folder without it is no database.
      tree_.copy(join_path(db_.folder, "CURRENT"), join_path(folder_, "CURRENT"));
      tree_.sync_folders();
      db_.files.rename(folder_, report_->directory).throw_if_error();
    } catch (const SqlError&) {
      try {
        remove_tree(db_.files, folder_);
      } catch (const SqlError&) {}  // the next one of this name begins with it
      throw;
    }
    db_.files.sync_directory(target_).throw_if_error();
  }

 private:
  void copy_log(wal::Position durable) {
    const std::string to = join_path(folder_, "log");
    for (const wal::SegmentInfo& segment : db_.log->segments()) {
      if (segment.begin >= durable) break;
      // One that only earlier versions are rebuilt from may be given back already, though the log does not know.
      const bool needed = segment.end.value > db_.checkpoint_log_end || segment.end >= durable;
      if (!needed && !db_.files.exists(segment.path).value_or_throw()) continue;
      const uint64_t records = std::min(segment.end, durable).value - segment.begin.value;
      tree_.copy(segment.path, join_path(to, file_name(segment.path)), wal::kFirstRecordOffset + records);
    }
  }

  // Also what nothing names any more: the start on the copy removes it.
  void copy_table(const std::string& table, const std::string& before) {
    const std::string from = join_path(join_path(db_.folder, "tables"), table);
    const std::string to = join_path(join_path(folder_, "tables"), table);
    tree_.make_folder(to);
    for (const DirectoryEntry& file : entries_of(db_.files, from)) {
      const std::string source = join_path(from, file.name), copy = join_path(to, file.name);
      if (!file.name.ends_with(".segment")) {
        tree_.copy(source, copy);
        continue;
      }
      if (tree_.link(source, copy)) continue;
      if (!db_.files.exists(source).value_or_throw()) continue;  // nothing that is copied names it
      // Ids of segments are never used again.
      if (!before.empty() &&
          tree_.link(join_path(join_path(join_path(before, "tables"), table), file.name), copy))
        continue;
      tree_.copy(source, copy);
    }
  }

  DatabaseState& db_;
  const std::string target_;
  std::string folder_;
  BackupReport* report_;
  TreeWriter tree_;
};

void copy_tree(FileSystem& files, TreeWriter* tree, const std::string& from, const std::string& to) {
  tree->make_folder(to);
  for (const DirectoryEntry& entry : entries_of(files, from)) {
    // CURRENT comes last: what an interrupted restore leaves is no database.
    if (entry.name == "CURRENT" || entry.name == "lock") continue;
    const std::string source = join_path(from, entry.name), target = join_path(to, entry.name);
    if (entry.is_directory) {
      copy_tree(files, tree, source, target);
    } else {
      tree->copy(source, target);
    }
  }
}

}  // namespace

BackupReport back_up(DatabaseState& db, const std::string& target) {
  for (const char* part : {"tables", "log", "manifests"}) {
    const std::string own = join_path(db.folder, part);
    if (target == db.folder || target == own || target.starts_with(own + "/")) {
      throw sql_error(sqlstate::kInvalidParameterValue,
                      "a backup cannot lie among the files of the database, in \"{}\"", target);
    }
  }
  run_checkpoint(db, 0);
  BackupReport report;
  std::lock_guard no_checkpoint(db.checkpoint_mutex);
  BackupWriter(db, target, &report).write();
  return report;
}

BackupReport restore_backup(FileSystem& files, const std::string& backup, const std::string& data) {
  if (!files.exists(join_path(backup, "CURRENT")).value_or_throw() || backup.ends_with(kPartial)) {
    throw sql_error(sqlstate::kObjectNotInPrerequisiteState, "\"{}\" is not a whole backup", backup);
  }
  if (!entries_of(files, data).empty()) {
    throw sql_error(sqlstate::kObjectNotInPrerequisiteState, "\"{}\" is not empty", data)
        .with_hint("Choose an empty or a new folder.");
  }
  BackupReport report;
  report.directory = data;
  TreeWriter tree(files, &report);
  copy_tree(files, &tree, backup, data);
  tree.sync_folders();
  tree.copy(join_path(backup, "CURRENT"), join_path(data, "CURRENT"));
  files.sync_directory(data).throw_if_error();
  return report;
}

}  // namespace idem
