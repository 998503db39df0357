#include "storage/segment_file.h"

#include <algorithm>

#include "common/crc32c.h"
#include "storage/encoded_block.h"

namespace idem {

namespace {

// Enough for the footer of most files to come with the tail in one read.
constexpr uint64_t kFirstReadBytes = 64 << 10;

// Of the segment in bytes [begin, begin + size) of the file.
SegmentFooter read_footer(File& file, uint64_t begin, uint64_t size) {
  const auto read_range = [&](uint64_t offset, uint64_t count) {
    std::string bytes(count, '\0');
    file.read_exact_at(begin + offset, bytes.data(), bytes.size()).throw_if_error();
    return bytes;
  };
  uint64_t offset = size < kSegmentTailBytes ? 0 : size - kSegmentTailBytes;
  try {
    if (size < kSegmentHeaderBytes + kSegmentTailBytes) {
      throw sql_error(sqlstate::kDataCorrupted, "the file is too short");
    }
    const uint64_t first_read = std::min(size, kFirstReadBytes);
    const std::string end = read_range(size - first_read, first_read);
    const std::string_view tail_bytes = std::string_view(end).substr(end.size() - kSegmentTailBytes);
    const SegmentTail tail = decode_segment_tail(tail_bytes, size);
    offset -= tail.footer_size;
    const uint64_t with_tail = tail.footer_size + kSegmentTailBytes;
    if (with_tail <= end.size()) {
      const auto footer = std::string_view(end).substr(end.size() - with_tail, tail.footer_size);
      return decode_segment_footer(footer, tail, size);
    }
    return decode_segment_footer(read_range(offset, tail.footer_size), tail, size);
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::kDataCorrupted) throw;
    throw SegmentDamage(file.path(), begin + offset, error.message());
  }
}

SegmentIdentity identity_of(const SegmentFooter& footer) {
  return {footer.database_id, footer.segment_id, footer.table_id};
}

std::string text_of(const SegmentIdentity& identity) {
  return fmt::format("it is segment {} of table {} of database {:016x}",
                     static_cast<uint64_t>(identity.segment_id), static_cast<uint32_t>(identity.table_id),
                     identity.database_id);
}

uint64_t stored_bytes(const RowGroupFooter& group) {
  uint64_t bytes = 0;
  for (const ColumnChunkFooter& chunk : group.columns) {
    for (const BlockLocation& block : chunk.blocks) bytes += block.size;
  }
  return bytes;
}

}  // namespace

SegmentDamage::SegmentDamage(const std::string& path, uint64_t offset, std::string_view why)
    : SqlError(sqlstate::kDataCorrupted,
               fmt::format("damaged segment file \"{}\" at offset {}: {}", path, offset, why)),
      offset_(offset) {}

SegmentFile::SegmentFile(FileSystem& files, std::string path, uint64_t offset, uint64_t size,
                         const SegmentIdentity& identity, std::shared_ptr<const SegmentPack> pack,
                         ChunkCache& cache)
    : files_(files),
      path_(std::move(path)),
      offset_(offset),
      size_(size),
      identity_(identity),
      pack_(std::move(pack)),
      cache_(cache) {}

std::shared_ptr<SegmentFile> SegmentFile::begin(FileSystem& files, const std::string& path, uint64_t offset,
                                                SegmentFooter footer, std::shared_ptr<const SegmentPack> pack,
                                                ChunkCache& cache) {
  std::shared_ptr<SegmentFile> segment(
      new SegmentFile(files, path, offset, 0, identity_of(footer), std::move(pack), cache));
  segment->adopt(std::move(footer));
  segment->mark_obsolete();
  return segment;
}

std::shared_ptr<SegmentFile> SegmentFile::described(FileSystem& files, const std::string& path,
                                                    uint64_t database_id,
                                                    const SegmentDescription& description,
                                                    std::shared_ptr<const SegmentPack> pack,
                                                    ChunkCache& cache) {
  std::shared_ptr<SegmentFile> segment(new SegmentFile(files, path, description.offset, description.size,
                                                       {database_id, description.id, description.table},
                                                       std::move(pack), cache));
  for (const RowGroupSize& size : description.row_groups) {
    const auto index = static_cast<uint32_t>(segment->row_groups_.size());
    segment->row_groups_.push_back(std::make_unique<SegmentRowGroup>(*segment, index, size));
  }
  return segment;
}

std::shared_ptr<SegmentFile> SegmentFile::open_any(FileSystem& files, const std::string& path,
                                                   ChunkCache& cache, uint64_t offset, uint64_t size) {
  const std::unique_ptr<File> file = files.open(path, OpenMode::kRead).value_or_throw();
  if (size == 0) size = file->size().value_or_throw() - offset;
  SegmentFooter footer = read_footer(*file, offset, size);
  std::shared_ptr<SegmentFile> segment(
      new SegmentFile(files, path, offset, size, identity_of(footer), nullptr, cache));
  for (const RowGroupFooter& group : footer.row_groups) {
    const auto index = static_cast<uint32_t>(segment->row_groups_.size());
    segment->row_groups_.push_back(
        std::make_unique<SegmentRowGroup>(*segment, index, RowGroupSize{group.rows, stored_bytes(group)}));
  }
  segment->adopt(std::move(footer));
  return segment;
}

std::shared_ptr<SegmentFile> SegmentFile::open(FileSystem& files, const std::string& path,
                                               const SegmentIdentity& identity, ChunkCache& cache) {
  std::shared_ptr<SegmentFile> segment = open_any(files, path, cache);
  if (segment->identity_ != identity) throw segment->damage(0, text_of(segment->identity_));
  return segment;
}

SegmentFile::~SegmentFile() {
  cache_.erase(id());
  if (is_obsolete() && !pack_) static_cast<void>(files_.remove(path_).ok());
}

// The row groups are there already.
void SegmentFile::adopt(SegmentFooter footer) const {
  for (const auto& group : row_groups_) group->prepare(footer.columns.size());
  loaded_footer_ = std::make_unique<SegmentFooter>(std::move(footer));
  footer_.store(loaded_footer_.get(), std::memory_order_release);
}

const SegmentFooter& SegmentFile::load_footer() const {
  std::lock_guard lock(load_mutex_);
  if (loaded_footer_) return *loaded_footer_;
  SegmentFooter footer = read_footer(*files_.open(path_, OpenMode::kRead).value_or_throw(), offset_, size_);
  if (identity_of(footer) != identity_) throw damage(0, text_of(identity_of(footer)));
  const auto same = [](const RowGroupFooter& group, const auto& known) {
    return group.rows == known->row_count();
  };
  if (!std::equal(footer.row_groups.begin(), footer.row_groups.end(), row_groups_.begin(), row_groups_.end(),
                  same)) {
    throw damage(size_, "it has other row groups than the manifest says");
  }
  adopt(std::move(footer));
  return *loaded_footer_;
}

void SegmentFile::add_row_group(RowGroupFooter group, const std::vector<uint32_t>& dictionary_sizes) {
  SegmentFooter& footer = *loaded_footer_;
  for (size_t i = 0; i < footer.columns.size(); ++i) footer.columns[i].dictionary_size = dictionary_sizes[i];
  const auto index = static_cast<uint32_t>(row_groups_.size());
  row_groups_.push_back(
      std::make_unique<SegmentRowGroup>(*this, index, RowGroupSize{group.rows, stored_bytes(group)}));
  row_groups_.back()->prepare(footer.columns.size());
  footer.row_groups.push_back(std::move(group));
}

SegmentDescription SegmentFile::description() const {
  SegmentDescription description{id(), table_id(), 0, 0, offset_, size_, {}};
  if (pack_) {
    description.pack = pack_->id();
    description.pack_bytes = pack_->size();
  }
  for (const auto& group : row_groups_) description.row_groups.push_back(group->size());
  return description;
}

std::shared_ptr<const SegmentRowGroup> SegmentFile::row_group(uint32_t index) const {
  return {shared_from_this(), row_groups_.at(index).get()};
}

void SegmentFile::read(uint64_t offset, char* out, size_t size) const {
  const std::unique_ptr<File> file = files_.open(path_, OpenMode::kRead).value_or_throw();
  file->read_exact_at(offset_ + offset, out, size).throw_if_error();
}

SegmentDamage SegmentFile::damage(uint64_t offset, std::string_view why) const {
  return SegmentDamage(path_, offset_ + offset, why);
}

std::shared_ptr<const EncodedBlock> SegmentFile::read_block(uint32_t row_group, uint32_t column,
                                                            uint32_t block) const {
  const BlockLocation& location = footer().row_groups[row_group].columns[column].blocks[block];
  auto bytes = std::make_unique_for_overwrite<char[]>(location.size);
  read(location.offset, bytes.get(), location.size);
  try {
    return EncodedBlock::parse(std::move(bytes), location);
  } catch (const BlockDamage& block_damage) {
    throw damage(location.offset + block_damage.offset, block_damage.why);
  }
}

SegmentPatch SegmentFile::read_patch(uint32_t index) const {
  const PatchLocation& location = footer().patches.at(index);
  std::string bytes(location.size, '\0');
  read(location.offset, bytes.data(), bytes.size());
  if (crc32c(bytes.data(), bytes.size()) != location.crc)
    throw damage(location.offset, "wrong checksum of a patch");
  try {
    return decode_segment_patch(bytes);
  } catch (const SqlError& error) { throw damage(location.offset, error.message()); }
}

void SegmentFile::decode(const BlockLocation& location, const EncodedBlock& block, uint32_t vector_index,
                         const VectorContext& context, Vector* out) const {
  const uint32_t index = vector_index - location.first_vector;
  try {
    block.decode(index, context, out);
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::kDataCorrupted) throw;
    throw damage(location.offset + block.vector_offset(index), error.message());
  }
}

std::string SegmentFile::read_header() const {
  std::string header(kSegmentHeaderBytes, '\0');
  read(0, header.data(), header.size());
  return header;
}

}  // namespace idem
