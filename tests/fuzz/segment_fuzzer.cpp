#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/crc32c.h"
#include "common/simulated_file.h"
#include "storage/encoded_block.h"
#include "storage/folder_check.h"
#include "storage/segment_file.h"
#include "storage/slice_reader.h"

// Feeds arbitrary bytes to what reads segment files. Checksums would stop nearly everything at the door, so
// the first byte chooses how deep the rest goes: a whole file, a footer with a right checksum, a patch, or one vector
// of some type.

namespace idem {
namespace {

constexpr TypeId kTypes[] = {TypeId::kBoolean, TypeId::kSmallInt, TypeId::kInteger, TypeId::kBigInt,
                             TypeId::kReal,    TypeId::kDouble,   TypeId::kDecimal, TypeId::kVarchar,
                             TypeId::kSymbol,  TypeId::kTime,     TypeId::kUuid,    TypeId::kTimestamp,
                             TypeId::kInterval};

void check_file(std::string_view content) {
  SimulatedFileSystem files;
  auto file = files.open("s", OpenMode::kCreate).value_or_throw();
  file->write_at(0, content).throw_if_error();
  check_segment(files, "s", [](const CheckFinding&) {});
}

void check_footer(std::string_view footer) {
  std::string content(kSegmentHeaderBytes, '\0');
  content += footer;
  const uint64_t size = footer.size();
  uint32_t crc = crc32c(footer.data(), footer.size());
  crc = crc32c(&size, sizeof size, crc);
  crc = crc32c(&kSegmentVersion, sizeof kSegmentVersion, crc);
  content.append(reinterpret_cast<const char*>(&size), sizeof size);
  content.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  content.append(reinterpret_cast<const char*>(&kSegmentVersion), sizeof kSegmentVersion);
  content += "IDEMSEGF";
  check_file(content);
}

// A row group that only has a size.
class SizedRowGroup final : public RowGroup {
 public:
  explicit SizedRowGroup(uint32_t rows) : rows_(rows) {}
  uint32_t row_count() const override { return rows_; }
  bool in_memory() const override { return false; }
  bool has_column(ColumnId) const override { return false; }
  void read(const ColumnSchema& column, uint32_t, uint32_t, Vector* out) const override {
    read_initial(column, out);
  }
  VectorStatistics statistics(ColumnId, uint32_t) const override { return {}; }
  uint64_t disk_bytes() const override { return 0; }
  uint64_t memory_bytes() const override { return 0; }

 private:
  uint32_t rows_;
};

void check_patch(uint32_t rows, std::string_view bytes) {
  try {
    const SegmentPatch patch = decode_segment_patch(bytes);
    Slice slice{std::make_shared<SizedRowGroup>(rows), 0, rows, nullptr};
    const std::vector<std::shared_ptr<const RowGroup>> sources(patch.sources.size(), slice.group);
    slice.overlay = overlay_of(patch, *slice.group, sources, nullptr, 0);
    ColumnSchema column;
    column.type = TypeId::kBigInt;
    SliceReader reader;
    reader.open(slice);
    for (uint32_t row = 0, end = slice.rows(); row < end;) {
      const SliceReader::Piece piece = reader.piece_at(row);
      Vector vector;
      reader.read(column, piece.begin, piece.size(), &vector);
      row = piece.end;
    }
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::kDataCorrupted) throw;
  }
}

void decode(SqlType type, uint32_t rows, std::string_view bytes) {
  Vector vector;
  try {
    decode_vector(bytes, {type, rows, 100}, {"one", "two", ""}, nullptr, &vector);
    const Vector flat = flatten(vector, rows, {nullptr, rows}, false);
    for (uint32_t i = 0; i < rows; i += 17) static_cast<void>(flat.value_at(i));
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::kDataCorrupted) throw;
  }
}

}  // namespace
}  // namespace idem

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 4, size - 4);
  constexpr size_t kTypeCount = std::size(idem::kTypes);
  switch (data[0]) {
    case 0: idem::check_file(bytes); break;
    case 1: idem::check_footer(bytes); break;
    case 2: idem::check_patch(1 + (data[2] | uint32_t{data[3]} << 8) * 2, bytes); break;
    default: {
      const uint32_t rows = 1 + (data[2] | uint32_t{data[3]} << 8) % idem::kVectorSize;
      idem::decode(idem::kTypes[data[1] % kTypeCount], rows, bytes);
    }
  }
  return 0;
}
