#include "storage/segment_file.h"

#include <algorithm>

#include "common/crc32c.h"
#include "storage/encoded_block.h"

namespace idem {

namespace {

// Enough for the footer of most files to come with the tail in one read.
constexpr uint64_t kFirstReadBytes = 64 << 10;

std::string read_range(File& file, uint64_t offset, uint64_t size) {
  std::string bytes(size, '\0');
  file.read_exact_at(offset, bytes.data(), bytes.size()).throw_if_error();
  return bytes;
}

SegmentFooter read_footer(File& file, uint64_t size) {
  uint64_t offset = size < kSegmentTailBytes ? 0 : size - kSegmentTailBytes;
  try {
    if (size < kSegmentHeaderBytes + kSegmentTailBytes) {
      throw sql_error(sqlstate::kDataCorrupted, "the file is too short");
    }
    const uint64_t first_read = std::min(size, kFirstReadBytes);
    const std::string end = read_range(file, size - first_read, first_read);
    const std::string_view tail_bytes = std::string_view(end).substr(end.size() - kSegmentTailBytes);
    const SegmentTail tail = decode_segment_tail(tail_bytes, size);
    offset -= tail.footer_size;
    const uint64_t with_tail = tail.footer_size + kSegmentTailBytes;
    if (with_tail <= end.size()) {
      const auto footer = std::string_view(end).substr(end.size() - with_tail, tail.footer_size);
      return decode_segment_footer(footer, tail, size);
    }
    return decode_segment_footer(read_range(file, offset, tail.footer_size), tail, size);
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::kDataCorrupted) throw;
    throw SegmentDamage(file.path(), offset, error.message());
  }
}

}  // namespace

SegmentDamage::SegmentDamage(const std::string& path, uint64_t offset, std::string_view why)
    : SqlError(sqlstate::kDataCorrupted,
               fmt::format("damaged segment file \"{}\" at offset {}: {}", path, offset, why)),
      offset_(offset) {}

SegmentFile::SegmentFile(FileSystem& files, std::unique_ptr<File> file, uint64_t size, SegmentFooter footer,
                         ChunkCache& cache)
    : files_(files), file_(std::move(file)), size_(size), footer_(std::move(footer)), cache_(cache) {
  for (uint32_t i = 0; i < footer_.row_groups.size(); ++i) {
    row_groups_.push_back(std::make_unique<SegmentRowGroup>(*this, i));
  }
}

std::shared_ptr<SegmentFile> SegmentFile::begin(FileSystem& files, std::unique_ptr<File> file,
                                                SegmentFooter footer, ChunkCache& cache) {
  std::shared_ptr<SegmentFile> segment(
      new SegmentFile(files, std::move(file), 0, std::move(footer), cache));
  segment->mark_obsolete();
  return segment;
}

void SegmentFile::add_row_group(RowGroupFooter group, const std::vector<uint32_t>& dictionary_sizes) {
  for (size_t i = 0; i < footer_.columns.size(); ++i) footer_.columns[i].dictionary_size = dictionary_sizes[i];
  footer_.row_groups.push_back(std::move(group));
  row_groups_.push_back(std::make_unique<SegmentRowGroup>(*this, static_cast<uint32_t>(row_groups_.size())));
}

SegmentFile::~SegmentFile() {
  cache_.erase(footer_.segment_id);
  if (!is_obsolete()) return;
  const std::string path = file_->path();
  file_.reset();
  static_cast<void>(files_.remove(path));
}

std::shared_ptr<SegmentFile> SegmentFile::open_any(FileSystem& files, const std::string& path,
                                                   ChunkCache& cache) {
  std::unique_ptr<File> file = files.open(path, OpenMode::kRead).value_or_throw();
  const uint64_t size = file->size().value_or_throw();
  SegmentFooter footer = read_footer(*file, size);
  return std::shared_ptr<SegmentFile>(
      new SegmentFile(files, std::move(file), size, std::move(footer), cache));
}

std::shared_ptr<SegmentFile> SegmentFile::open(FileSystem& files, const std::string& path,
                                               const SegmentIdentity& identity, ChunkCache& cache) {
  std::shared_ptr<SegmentFile> segment = open_any(files, path, cache);
  const SegmentFooter& footer = segment->footer();
  if (footer.database_id != identity.database_id || footer.segment_id != identity.segment_id ||
      footer.table_id != identity.table_id) {
    throw SegmentDamage(path, 0,
                        fmt::format("it is segment {} of table {} of database {:016x}",
                                    static_cast<uint64_t>(footer.segment_id),
                                    static_cast<uint32_t>(footer.table_id), footer.database_id));
  }
  return segment;
}

std::shared_ptr<const SegmentRowGroup> SegmentFile::row_group(uint32_t index) const {
  return {shared_from_this(), row_groups_.at(index).get()};
}

std::shared_ptr<const EncodedBlock> SegmentFile::read_block(uint32_t row_group, uint32_t column,
                                                            uint32_t block) const {
  const BlockLocation& location = footer_.row_groups[row_group].columns[column].blocks[block];
  auto bytes = std::make_unique_for_overwrite<char[]>(location.size);
  file_->read_exact_at(location.offset, bytes.get(), location.size).throw_if_error();
  try {
    return EncodedBlock::parse(std::move(bytes), location);
  } catch (const BlockDamage& damage) {
    throw SegmentDamage(path(), location.offset + damage.offset, damage.why);
  }
}

SegmentPatch SegmentFile::read_patch(uint32_t index) const {
  const PatchLocation& location = footer_.patches.at(index);
  const std::string bytes = read_range(*file_, location.offset, location.size);
  if (crc32c(bytes.data(), bytes.size()) != location.crc) {
    throw SegmentDamage(path(), location.offset, "wrong checksum of a patch");
  }
  try {
    return decode_segment_patch(bytes);
  } catch (const SqlError& error) { throw SegmentDamage(path(), location.offset, error.message()); }
}

void SegmentFile::decode(const BlockLocation& location, const EncodedBlock& block, uint32_t vector_index,
                         const VectorContext& context, Vector* out) const {
  const uint32_t index = vector_index - location.first_vector;
  try {
    block.decode(index, context, out);
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::kDataCorrupted) throw;
    throw SegmentDamage(path(), location.offset + block.vector_offset(index), error.message());
  }
}

IoStatus SegmentFile::read_header(std::string* out) const {
  out->resize(kSegmentHeaderBytes);
  return file_->read_exact_at(0, out->data(), out->size());
}

}  // namespace idem
