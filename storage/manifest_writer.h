#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.h"
#include "storage/manifest.h"
#include "storage/named_segment.h"
#include "storage/segment_file.h"

namespace idem {

// A table as a manifest says it. Immutable once written. Row groups of all versions are in segment files.
struct WrittenTable {
  std::vector<ManifestDictionary> dictionaries;
  std::vector<HistoryLine> lines;
  std::vector<KeptVersion> versions;
  // By these the next checkpoint sees that nothing changed.
  std::weak_ptr<const TableVersion> head;  // empty of a dropped table
  uint64_t history_stamp = 0;
};

// What a manifest says.
struct WrittenState {
  CommitNumber commit{};
  int64_t commit_time_micros = 0;
  uint64_t log_position = 0, next_segment = 1;
  uint32_t next_object_id = 1;
  std::shared_ptr<const Catalog> catalog;
  std::map<uint32_t, std::shared_ptr<const WrittenTable>> tables;  // by TableId
};

// Writes the manifest: appends what changed, or a whole new file when the changes have outgrown the base, and
// makes that the current one. Used by one thread at a time (DatabaseState::checkpoint_mutex).
//
// After an error nothing counts that was not written before; the next write makes a new file, since nobody
// knows what the failed one left. After an exception other than SqlError (memory has run out) it may have lost track of what
// the disk says: is_lost(), and nothing more is written.
class ManifestWriter {
 public:
  ManifestWriter(FileSystem& files, std::string folder, uint64_t database_id);

  // Goes on behind a manifest that was read from these bytes, after making them durable: a process that was killed when a sync had
  // failed leaves what can be read, but may be gone after a crash. `written` is what the manifest says. Throws SqlError 58030, 53100.
  void resume(const Manifest& manifest, std::string_view bytes, WrittenState written);
  // Durable on return. Throws SqlError 58030, 53100; then failed_write_may_be_found() says whether a restart
  // might find it nevertheless, so that what it names must stay as it is.
  void write(WrittenState next);
  bool failed_write_may_be_found() const { return last_write_ == LastWrite::kMayBeFound || is_lost(); }
  bool is_lost() const { return last_write_ == LastWrite::kUntracked; }
  // A dictionary's file as it counts by what was written, or may have been; nothing if it has none.
  std::optional<ManifestDictionary> dictionary_file(TableId table, ColumnId column) const;

  const WrittenState& written() const { return written_; }
  uint64_t number() const { return number_; }
  const std::map<uint64_t, NamedSegment>& named_segments() const { return named_; }
  // Whether less than half of a pack is named; whether any pack is like that.
  bool is_sparse(uint64_t pack) const;
  bool has_sparse_pack() const;
  // Segment files and dictionaries (table, column) that the last write no longer names, once.
  std::vector<NamedSegment> take_unnamed_segments() { return std::exchange(unnamed_, {}); }
  std::vector<NamedPack> take_unnamed_packs() { return std::exchange(unnamed_packs_, {}); }
  std::vector<std::pair<uint32_t, uint32_t>> take_unnamed_dictionaries() {
    return std::exchange(unnamed_dictionaries_, {});
  }
  uint64_t written_bytes() const { return written_bytes_; }  // since the start, for tests and status

 private:
  void append(const WrittenState& next);
  void begin_file(const WrittenState& next);
  void write_file(const std::string& path, std::string_view content, std::unique_ptr<File>* file);
  void note_failure(const WrittenState& next);
  // Segments of all versions of a table, by what was written before and now.
  struct TableNames {
    std::map<uint64_t, std::shared_ptr<const SegmentFile>> before, after;
  };
  void note_names(const std::vector<TableNames>& changes);
  void note_dictionaries(const WrittenTable* before, const WrittenTable* after, uint32_t id);
  void note_attachments(const WrittenTable& table);
  void name(const SegmentFile& file, NamedSegment* named);
  void forget_name(NamedSegment segment);
  void adopt(WrittenState next);

  FileSystem& files_;
  const std::string folder_;
  const uint64_t database_id_;
  uint64_t number_ = 0, sequence_ = 0, base_bytes_ = 0, end_ = 0;
  uint64_t last_number_ = 0;  // ever given to a file
  enum class LastWrite : uint8_t {
    kNone,        // there was none, or it failed and left nothing that counts
    kWhole,       // the next one may go behind it
    kUntracked,   // the disk may say something that is not noted here
    kMayBeFound,  // it failed; what it would make count is noted
  };
  LastWrite last_write_ = LastWrite::kNone;
  // With files, of writes that failed: (table, column).
  std::map<std::pair<uint32_t, uint32_t>, ManifestDictionary> possible_dictionaries_;
  std::unique_ptr<File> file_;
  WrittenState written_;
  std::map<uint64_t, NamedSegment> named_;
  std::set<uint64_t> described_attachments_;  // in the current file
  std::map<uint64_t, NamedPack> packs_;       // with segments in named_
  std::vector<NamedSegment> unnamed_;
  std::vector<NamedPack> unnamed_packs_;
  std::vector<std::pair<uint32_t, uint32_t>> unnamed_dictionaries_;
  uint64_t written_bytes_ = 0;
};

// Segments of all versions of a table, each once.
std::map<uint64_t, std::shared_ptr<const SegmentFile>> segments_of(const std::vector<KeptVersion>& versions);

}  // namespace idem
