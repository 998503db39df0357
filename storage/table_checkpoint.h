#pragma once

#include <map>
#include <memory>
#include <vector>

#include "storage/checkpoint_segments.h"
#include "storage/manifest_writer.h"
#include "storage/overlay_writer.h"
#include "storage/row_moves.h"
#include "storage/sparse_files.h"

namespace idem {

// A run of neighbouring slices that become row groups of one segment file.
struct EncodeRun {
  std::vector<Slice> slices;
  std::vector<uint32_t> first_row;  // of each slice within the run
  uint32_t rows = 0;
  uint32_t first_group = 0;  // of the file
};

// The part of a checkpoint that concerns one table: its newest version, which a dropped one has not, and the
// kept ones, some of which show rows that the newest no longer has.
class TableCheckpoint {
 public:
  TableCheckpoint(DatabaseState& db, TableId id, std::shared_ptr<const TableVersion> version,
                  std::shared_ptr<TableHistory> history)
      : db_(db), id_(id), version_(std::move(version)), history_(std::move(history)) {
    const VersionNumber through = version_ ? version_->version : VersionNumber{UINT64_MAX};
    stamp_ = history_->stamp();
    kept_ = history_->kept(through);
    lines_ = history_->lines(through);
  }
  // A dropped table as it was then: it may have been brought back meanwhile, which the log says.
  void only_until(int64_t dropped_micros) {
    std::erase_if(kept_, [&](const KeptVersion& kept) { return kept.time_micros > dropped_micros; });
    std::erase_if(lines_, [&](const HistoryLine& line) { return line.first_time_micros > dropped_micros; });
  }

  TableId id() const { return id_; }
  // Plans and writes; what it writes counts when `segments` are finished and the table's folder is synced. Compacts cold
  // partitions and empties sparse files, at most `compaction_rows` rows, which are subtracted.
  void encode(uint64_t* compaction_rows, const SparseFiles& sparse, CheckpointSegments* segments);
  void write_dictionaries();
  // The checkpoint has failed, and no manifest names what was written.
  void discard();
  // What the manifest says of it. `log_position`: everything that the log holds from there on is not in it.
  std::shared_ptr<const WrittenTable> describe(uint64_t log_position);
  // Puts what was encoded in place of what is in memory, in the newest version and in the kept ones.
  void install();

 private:
  void plan(uint64_t* compaction_rows, const SparseFiles& sparse);
  void add_run(std::vector<Slice> slices);
  void note_moves(const EncodeRun& run);
  void encode_newest(uint64_t* compaction_rows, const SparseFiles& sparse, CheckpointSegments* segments);
  void encode_kept(CheckpointSegments* segments);
  void write_dictionary(const SymbolDictionary& dictionary, ColumnId column,
                        std::unique_ptr<DictionaryFile>* file);
  std::vector<std::shared_ptr<const TableSchema>> schemas() const;
  std::shared_ptr<const TableSchema> written_schema() const;

  DatabaseState& db_;
  const TableId id_;
  std::shared_ptr<const TableVersion> version_, persistent_;
  std::shared_ptr<TableHistory> history_;
  uint64_t stamp_ = 0;
  std::vector<HistoryLine> lines_;
  std::vector<KeptVersion> kept_;  // as they were; and with their rows in segment files:
  std::vector<KeptVersion> kept_persistent_;
  std::map<ColumnId, ManifestDictionary> dictionaries_;  // as written, of all versions' columns
  std::shared_ptr<const WrittenTable> described_;
  std::vector<EncodeRun> runs_;
  OverlayWriter overlays_;
  std::shared_ptr<SegmentFile> file_, kept_file_;
  RowMoves moves_;
};

}  // namespace idem
