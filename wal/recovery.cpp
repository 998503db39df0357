#include "wal/recovery.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "wal/segment_format.h"
#include "wal/segment_reader.h"

namespace idem::wal {

namespace {

SqlError damage_error(const std::string& path, uint64_t offset, std::string_view what) {
  return sql_error(sqlstate::kDataCorrupted, "log segment file \"{}\" is damaged at offset {}", path, offset)
      .with_detail(std::string(what));
}

// What is in the log folder, by the headers of its files.
struct Folder {
  std::vector<SegmentInfo> begun;  // by id; `end` is the start of the next
  std::vector<std::pair<uint64_t, std::string>> prepared;
  std::vector<std::pair<uint64_t, std::string>> damaged;
  uint64_t last_id = 0;
};

void classify(FileSystem& fs, const std::string& path, uint64_t id, DatabaseId database_id, Folder* folder) {
  IoResult<std::unique_ptr<File>> file = fs.open(path, OpenMode::kRead);
  if (!file.ok() && file.error().is_not_found()) return;  // recycled since the folder was listed
  const std::unique_ptr<File> opened = file.value_or_throw();
  std::string bytes(kSegmentHeaderBytes, '\0');
  bytes.resize(opened->read_at(0, bytes.data(), bytes.size()).value_or_throw());
  SegmentHeader header;
  switch (decode_segment_header(bytes, &header)) {
    case SegmentHeaderState::kZero: folder->prepared.emplace_back(id, path); return;
    case SegmentHeaderState::kDamaged: folder->damaged.emplace_back(id, path); return;
    case SegmentHeaderState::kValid: break;
  }
  if (header.database_id != database_id) {
    throw sql_error(sqlstate::kDataCorrupted, "log segment file \"{}\" belongs to another database", path);
  }
  const uint64_t size = opened->size().value_or_throw();
  if (header.segment_id < id) {
    folder->prepared.emplace_back(id, path);
  } else if (header.segment_id > id || size < kFirstRecordOffset) {
    folder->damaged.emplace_back(id, path);
  } else {
    folder->begun.push_back({id, header.epoch, header.start, header.start, size, path});
  }
}

Folder read_folder(FileSystem& fs, const std::string& directory, DatabaseId database_id) {
  Folder folder;
  IoResult<std::vector<DirectoryEntry>> listed = fs.list(directory);
  if (!listed.ok() && listed.error().is_not_found()) return folder;
  std::map<uint64_t, std::string> files;
  for (const DirectoryEntry& entry : listed.value_or_throw()) {
    if (auto id = parse_segment_file_name(entry.name)) files[*id] = join_path(directory, entry.name);
  }
  for (const auto& [id, path] : files) {
    classify(fs, path, id, database_id, &folder);
    folder.last_id = id;
  }
  for (size_t i = 1; i < folder.begun.size(); ++i) {
    SegmentInfo& before = folder.begun[i - 1];
    const SegmentInfo& next = folder.begun[i];
    if (next.epoch < before.epoch || next.begin < before.begin) {
      throw damage_error(next.path, 0, "Its epoch or start is less than that of the segment before it.");
    }
    before.end = next.begin;
  }
  return folder;
}

// The segment that holds `from`: the last that begins at or before it.
size_t find_segment(const Folder& folder, const std::string& directory, Position from) {
  size_t found = folder.begun.size();
  for (size_t i = 0; i < folder.begun.size() && folder.begun[i].begin <= from; ++i) found = i;
  if (found == folder.begun.size() ||
      from.value - folder.begun[found].begin.value > folder.begun[found].file_bytes - kFirstRecordOffset) {
    throw sql_error(sqlstate::kDataCorrupted, "the log segment that holds position {} is missing in \"{}\"",
                    from.value, directory);
  }
  return found;
}

SegmentReader open_reader(FileSystem& fs, const SegmentInfo& info, DatabaseId database_id) {
  return SegmentReader(fs.open(info.path, OpenMode::kRead).value_or_throw(),
                       SegmentHeader{database_id, info.id, info.epoch, info.begin}, info.file_bytes);
}

class RecordSink {
 public:
  explicit RecordSink(const std::function<void(const Record&)>& on_record) : on_record_(on_record) {}

  void take(const SegmentReader& reader, const Record& record) {
    if (record.commit_number <= last_commit_) {
      throw damage_error(reader.path(), reader.offset_of(record.extent.begin),
                         fmt::format("Commit {} follows commit {}.", record.commit_number, last_commit_));
    }
    last_commit_ = record.commit_number;
    durable_ = std::max(durable_, record.durable);
    ++count_;
    on_record_(record);
  }

  CommitNumber last_commit() const { return last_commit_; }
  Position durable() const { return durable_; }
  uint64_t count() const { return count_; }

 private:
  const std::function<void(const Record&)>& on_record_;
  CommitNumber last_commit_ = 0;
  Position durable_;
  uint64_t count_ = 0;
};

// Reads [from, until), all of which was durable.
void read_whole(SegmentReader& reader, Position from, Position until, RecordSink& sink) {
  for (Position at = from; at < until;) {
    const std::optional<Record> record = reader.read(at);
    if (!record || record->extent.end > until) {
      throw damage_error(
          reader.path(), reader.offset_of(at),
          fmt::format("The log was durable up to position {}, no valid record is at position {}.",
                      until.value, at.value));
    }
    sink.take(reader, *record);
    at = record->extent.end;
  }
}

// A segment that was begun and whose header was lost holds its first record where the log ends.
std::optional<std::string> find_proof_in_prepared(FileSystem& fs, const Folder& folder, Position end,
                                                  uint64_t last_epoch) {
  for (const auto& [id, path] : folder.prepared) {
    std::unique_ptr<File> file = fs.open(path, OpenMode::kRead).value_or_throw();
    const uint64_t size = file->size().value_or_throw();
    RecordHeader first;
    const size_t got = file->read_at(kFirstRecordOffset, &first, sizeof first).value_or_throw();
    if (got < sizeof first || first.position != end.value || first.epoch < last_epoch) continue;
    SegmentReader reader(std::move(file), SegmentHeader{{}, id, first.epoch, end}, size);
    if (reader.scan_tail(end).proof) return path;
  }
  return std::nullopt;
}

void check_tail(FileSystem& fs, const Folder& folder, SegmentReader& reader, RecoveryResult* result) {
  const uint64_t offset = reader.offset_of(result->end);
  const SegmentReader::Tail tail = reader.scan_tail(result->end);
  if (tail.proof) {
    throw damage_error(
        reader.path(), offset,
        fmt::format("The record at position {} proves that more was durable.", tail.proof->value));
  }
  if (const auto path = find_proof_in_prepared(fs, folder, result->end, result->last_epoch)) {
    throw damage_error(*path, 0, "The header is missing, and the records prove that they were durable.");
  }
  if (tail.recognized_end > offset) {
    result->cut_bytes = tail.recognized_end - offset;
    result->cut_path = reader.path();
    result->cut_offset = offset;
  }
}

// The segments before `first` that join up with it belong to the log; those before a gap are left over from a
// removal.
void split_obsolete(const Folder& folder, size_t first, RecoveryResult* result) {
  size_t oldest = first;
  while (oldest > 0) {
    const SegmentInfo& before = folder.begun[oldest - 1];
    if (before.end.value - before.begin.value > before.file_bytes - kFirstRecordOffset) break;
    --oldest;
  }
  for (size_t i = 0; i < oldest; ++i) result->obsolete.push_back(folder.begun[i].path);
  result->segments.assign(folder.begun.begin() + static_cast<std::ptrdiff_t>(oldest), folder.begun.end());
}

}  // namespace

RecoveryResult recover(FileSystem& fs, const std::string& directory, DatabaseId database_id, Position from,
                       const std::function<void(const Record&)>& on_record) {
  const Folder folder = read_folder(fs, directory, database_id);
  RecoveryResult result;
  result.database_id = database_id;
  result.last_segment_id = folder.last_id;
  result.end = from;
  result.known_durable = from;
  for (const auto& [id, path] : folder.prepared) result.prepared.push_back(path);
  for (const auto& [id, path] : folder.damaged) {
    if (folder.begun.empty() || id > folder.begun.back().id)
      throw damage_error(path, 0, "The header is damaged.");
  }
  if (folder.begun.empty()) {
    if (from.value != 0) find_segment(folder, directory, from);
    if (const auto path = find_proof_in_prepared(fs, folder, from, 0)) {
      throw damage_error(*path, 0, "The header is missing, and the records prove that they were durable.");
    }
    return result;
  }

  const size_t first = find_segment(folder, directory, from);
  split_obsolete(folder, first, &result);
  result.last_epoch = folder.begun.back().epoch;
  RecordSink sink(on_record);
  for (size_t i = first; i + 1 < folder.begun.size(); ++i) {
    SegmentReader reader = open_reader(fs, folder.begun[i], database_id);
    read_whole(reader, std::max(from, folder.begun[i].begin), folder.begun[i].end, sink);
  }

  const SegmentInfo& last = folder.begun.back();
  SegmentReader reader = open_reader(fs, last, database_id);
  result.end = std::max(from, last.begin);
  while (const std::optional<Record> record = reader.read(result.end)) {
    sink.take(reader, *record);
    result.end = record->extent.end;
  }
  check_tail(fs, folder, reader, &result);
  result.segments.back().end = result.end;
  result.known_durable = std::max({from, last.begin, sink.durable()});
  result.last_commit = sink.last_commit();
  result.record_count = sink.count();
  return result;
}

void read_records(FileSystem& fs, const std::string& directory, DatabaseId database_id, Position from,
                  Position until, const std::function<void(const Record&)>& on_record) {
  if (from >= until) return;
  const Folder folder = read_folder(fs, directory, database_id);
  RecordSink sink(on_record);
  Position at = from;
  for (size_t i = find_segment(folder, directory, from); i < folder.begun.size() && at < until; ++i) {
    const SegmentInfo& info = folder.begun[i];
    const Position end = i + 1 < folder.begun.size() ? std::min(info.end, until) : until;
    SegmentReader reader = open_reader(fs, info, database_id);
    read_whole(reader, at, end, sink);
    at = std::max(at, end);
  }
}

}  // namespace idem::wal
