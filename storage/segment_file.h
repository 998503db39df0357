#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/file.h"
#include "storage/chunk_cache.h"
#include "storage/encoded_block.h"
#include "storage/segment_footer.h"
#include "storage/segment_patch.h"
#include "storage/segment_row_group.h"

namespace idem {

// What opening a segment expects to find; a file with another identity is XX001.
struct SegmentIdentity {
  uint64_t database_id = 0;
  SegmentId segment_id{};
  TableId table_id{};
};

// SqlError XX001 `damaged segment file "p" at offset n: why`.
class SegmentDamage : public SqlError {
 public:
  SegmentDamage(const std::string& path, uint64_t offset, std::string_view why);
  uint64_t offset() const { return offset_; }

 private:
  uint64_t offset_;
};

// An open, immutable segment file: several row groups of one table (docs/format/segment.md).
//
// One that is still being written (SegmentWriter) grows by whole row groups, each readable as soon as it was
// added; until it is finished the writer's thread alone may use it, and it is obsolete from the start, so that it
// goes away with a writer that never ends.
//
// Shared by the row groups that it hands out: it is closed when the last reference to it or to one of them
// goes, and then also removed if it was marked obsolete. Any thread may call. `files` and `cache` outlive it.
class SegmentFile : public std::enable_shared_from_this<SegmentFile> {
 public:
  // Reads and checks the footer. Throws 58P01 where the file is missing, 58030 where reading fails, XX001
  // where it is damaged or not the one that is meant.
  static std::shared_ptr<SegmentFile> open(FileSystem& files, const std::string& path,
                                           const SegmentIdentity& identity, ChunkCache& cache);
  // A file without row groups, which the writer adds.
  static std::shared_ptr<SegmentFile> begin(FileSystem& files, std::unique_ptr<File> file, SegmentFooter footer,
                                            ChunkCache& cache);
  // As it is, whatever its identity: for `idem check`.
  static std::shared_ptr<SegmentFile> open_any(FileSystem& files, const std::string& path, ChunkCache& cache);
  ~SegmentFile();

  uint32_t row_group_count() const { return static_cast<uint32_t>(footer_.row_groups.size()); }
  // Each call gives the same object; it keeps this file alive.
  std::shared_ptr<const SegmentRowGroup> row_group(uint32_t index) const;

  // The file is removed when nobody holds it any more. If that fails it stays as an orphan, which the next
  // start sweeps.
  void mark_obsolete() const { obsolete_.store(true, std::memory_order_release); }
  // Takes that back; by whoever made the file and is about to name it.
  void keep() const { obsolete_.store(false, std::memory_order_release); }
  bool is_obsolete() const { return obsolete_.load(std::memory_order_acquire); }

  SegmentId id() const { return footer_.segment_id; }
  TableId table_id() const { return footer_.table_id; }
  const std::string& path() const { return file_->path(); }
  uint64_t size() const { return size_; }
  const SegmentFooter& footer() const { return footer_; }

  // Reads and checks one block, past the cache. Throws 58030, SegmentDamage.
  std::shared_ptr<const EncodedBlock> read_block(uint32_t row_group, uint32_t column, uint32_t block) const;
  // Reads and checks one of the footer's patches. Throws 58030, SegmentDamage.
  SegmentPatch read_patch(uint32_t index) const;
  ChunkCache& cache() const { return cache_; }
  // Decodes a vector of a block of this file. Throws SegmentDamage.
  void decode(const BlockLocation& location, const EncodedBlock& block, uint32_t vector_index,
              const VectorContext& context, Vector* out) const;
  IoStatus read_header(std::string* out) const;  // the file's first kSegmentHeaderBytes

 private:
  friend class SegmentWriter;
  SegmentFile(FileSystem& files, std::unique_ptr<File> file, uint64_t size, SegmentFooter footer,
              ChunkCache& cache);

  // Of the writer: its bytes are in the file. `dictionary_sizes` by column.
  void add_row_group(RowGroupFooter group, const std::vector<uint32_t>& dictionary_sizes);

  FileSystem& files_;
  std::unique_ptr<File> file_;
  uint64_t size_;         // these two change only while the file is being written
  SegmentFooter footer_;
  ChunkCache& cache_;
  mutable std::atomic<bool> obsolete_{false};
  std::vector<std::unique_ptr<SegmentRowGroup>> row_groups_;
};

}  // namespace idem
