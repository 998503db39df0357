#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/file.h"
#include "storage/chunk_cache.h"
#include "storage/encoded_block.h"
#include "storage/segment_footer.h"
#include "storage/segment_pack.h"
#include "storage/segment_patch.h"
#include "storage/segment_row_group.h"

namespace idem {

// What reading a segment expects to find; one with another identity is XX001.
struct SegmentIdentity {
  uint64_t database_id = 0;
  SegmentId segment_id{};
  TableId table_id{};
  bool operator==(const SegmentIdentity&) const = default;
};

// What is known of a segment without reading it: where it is, and how large its row groups are.
struct SegmentDescription {
  SegmentId id{};
  TableId table{};  // whose rows they are, and in whose folder the file is if it has one of its own
  uint64_t pack = 0,
           pack_bytes = 0;  // the shared file that it is in, and how large that is; 0: it has one of its own
  uint64_t offset = 0, size = 0;  // in the file
  std::vector<RowGroupSize> row_groups;
};

// SqlError XX001 `damaged segment file "p" at offset n: why`.
class SegmentDamage : public SqlError {
 public:
  SegmentDamage(const std::string& path, uint64_t offset, std::string_view why);
  uint64_t offset() const { return offset_; }

 private:
  uint64_t offset_;
};

// An immutable segment: several row groups of one table (docs/format/segment.md), in a file of its own or in one that it
// shares with segments of other tables (segment_pack.h). It holds no descriptor: files are opened for each read, so that
// their number is not limited. Of one that a manifest describes the footer is read when it is first needed, and kept.
//
// One that is still being written (SegmentWriter) grows by whole row groups, each readable as soon as it was
// added; until it is finished the writer's thread alone may use it, and it is obsolete from the start, so that it
// goes away with a writer that never ends.
//
// Shared by the row groups that it hands out. When the last reference to it or to one of them goes, a file of its own
// is removed if it was marked obsolete. Any thread may call. `files` and `cache` outlive it.
class SegmentFile : public std::enable_shared_from_this<SegmentFile> {
 public:
  // Reads and checks the footer. Throws 58P01 where the file is missing, 58030 where reading fails, XX001
  // where it is damaged or not the one that is meant.
  static std::shared_ptr<SegmentFile> open(FileSystem& files, const std::string& path,
                                           const SegmentIdentity& identity, ChunkCache& cache);
  // One that a manifest names; nothing is read. `path` is that of its file, `pack` the shared one if it is in one.
  static std::shared_ptr<SegmentFile> described(FileSystem& files, const std::string& path,
                                                uint64_t database_id, const SegmentDescription& description,
                                                std::shared_ptr<const SegmentPack> pack, ChunkCache& cache);
  // One without row groups, which the writer adds, from an offset of a file on.
  static std::shared_ptr<SegmentFile> begin(FileSystem& files, const std::string& path, uint64_t offset,
                                            SegmentFooter footer, std::shared_ptr<const SegmentPack> pack,
                                            ChunkCache& cache);
  // As it is, whatever its identity: for `idem check`. `size` 0: the whole file.
  static std::shared_ptr<SegmentFile> open_any(FileSystem& files, const std::string& path, ChunkCache& cache,
                                               uint64_t offset = 0, uint64_t size = 0);
  ~SegmentFile();

  uint32_t row_group_count() const { return static_cast<uint32_t>(row_groups_.size()); }
  // Each call gives the same object; it keeps this file alive.
  std::shared_ptr<const SegmentRowGroup> row_group(uint32_t index) const;

  // The file is removed when nobody holds it any more. If that fails it stays as an orphan, which the next
  // start sweeps.
  void mark_obsolete() const { obsolete_.store(true, std::memory_order_release); }
  // Takes that back; by whoever made the file and is about to name it.
  void keep() const { obsolete_.store(false, std::memory_order_release); }
  bool is_obsolete() const { return obsolete_.load(std::memory_order_acquire); }

  SegmentId id() const { return identity_.segment_id; }
  TableId table_id() const { return identity_.table_id; }
  const std::string& path() const { return path_; }
  uint64_t offset() const { return offset_; }
  uint64_t size() const { return size_; }
  const std::shared_ptr<const SegmentPack>& pack() const { return pack_; }
  SegmentDescription description() const;
  // Read at the first call. Throws 58P01, 58030, SegmentDamage.
  const SegmentFooter& footer() const {
    const SegmentFooter* footer = footer_.load(std::memory_order_acquire);
    return footer ? *footer : load_footer();
  }

  // Reads and checks one block, past the cache. Throws 58030, SegmentDamage.
  std::shared_ptr<const EncodedBlock> read_block(uint32_t row_group, uint32_t column, uint32_t block) const;
  // Reads and checks one of the footer's patches. Throws 58030, SegmentDamage.
  SegmentPatch read_patch(uint32_t index) const;
  ChunkCache& cache() const { return cache_; }
  // Decodes a vector of a block of this file. Throws SegmentDamage.
  void decode(const BlockLocation& location, const EncodedBlock& block, uint32_t vector_index,
              const VectorContext& context, Vector* out) const;
  std::string read_header() const;  // its first kSegmentHeaderBytes. Throws 58030

 private:
  friend class SegmentWriter;
  SegmentFile(FileSystem& files, std::string path, uint64_t offset, uint64_t size,
              const SegmentIdentity& identity, std::shared_ptr<const SegmentPack> pack, ChunkCache& cache);

  const SegmentFooter& load_footer() const;
  void adopt(SegmentFooter footer) const;
  void read(uint64_t offset, char* out, size_t size) const;
  SegmentDamage damage(uint64_t offset, std::string_view why) const;
  // Of the writer: its bytes are in the file. `dictionary_sizes` by column.
  void add_row_group(RowGroupFooter group, const std::vector<uint32_t>& dictionary_sizes);

  FileSystem& files_;
  const std::string path_;
  const uint64_t offset_;  // of its first byte in the file
  uint64_t size_;          // changes only while it is being written
  const SegmentIdentity identity_;
  const std::shared_ptr<const SegmentPack> pack_;  // null: it has a file of its own
  ChunkCache& cache_;
  mutable std::atomic<bool> obsolete_{false};
  std::vector<std::unique_ptr<SegmentRowGroup>> row_groups_;
  mutable std::mutex load_mutex_;  // held while the footer is read
  mutable std::unique_ptr<SegmentFooter> loaded_footer_;
  mutable std::atomic<const SegmentFooter*> footer_{nullptr};
};

}  // namespace idem
