#include "storage/logged_rows.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "common/error.h"
#include "storage/column_encoder.h"
#include "storage/encoded_block.h"

namespace idem {

namespace {

enum class ColumnForm : uint8_t {
  kElements = 0,
  kElementsWithMask = 1,  // NULLs among them
  kBlock = 2,             // encoded vectors
};

// The new rows in the batch, in their order: those that replace, then those that are inserted.
class NewRows {
 public:
  explicit NewRows(const PartitionChange& change)
      : count_(static_cast<uint32_t>(logged_row_count(change))), first_(change.first_inserted) {
    if (change.replaced_rows.empty() && change.inserted_rows.empty()) return;
    rows_ = change.replaced_rows;
    const auto inserted = count_ - static_cast<uint32_t>(rows_.size());
    for (uint32_t i = 0; i < inserted; ++i) rows_.push_back(change.inserted_row(i));
    const auto jump = [](uint32_t row, uint32_t next) { return next != row + 1; };
    if (rows_.empty() || std::adjacent_find(rows_.begin(), rows_.end(), jump) != rows_.end()) return;
    first_ = rows_[0];
    rows_.clear();
  }

  uint32_t count() const { return count_; }
  bool contiguous() const { return rows_.empty(); }
  uint32_t first() const { return first_; }                    // if they are
  const std::vector<uint32_t>& list() const { return rows_; }  // if they are not
  uint32_t operator[](uint32_t i) const { return contiguous() ? first_ + i : rows_[i]; }

 private:
  const uint32_t count_;
  uint32_t first_;
  std::vector<uint32_t> rows_;
};

// Elements of `kSize` bytes that do not lie one after the other.
template <size_t kSize>
void write_apart(ByteWriter& out, const std::byte* data, const std::vector<uint32_t>& rows) {
  std::array<std::byte, 512 * kSize> chunk;
  for (size_t first = 0; first < rows.size(); first += 512) {
    const size_t count = std::min<size_t>(512, rows.size() - first);
    for (size_t i = 0; i < count; ++i)
      std::memcpy(chunk.data() + i * kSize, data + rows[first + i] * kSize, kSize);
    out.bytes(chunk.data(), count * kSize);
  }
}

void write_elements(ByteWriter& out, const BatchColumn& column, const NewRows& rows) {
  const PhysicalType physical = physical_type(column.type());
  const auto* data = static_cast<const std::byte*>(column.data());
  switch (physical) {
    case PhysicalType::kDecimal: {
      const auto* values = static_cast<const Decimal*>(column.data());
      for (uint32_t i = 0; i < rows.count(); ++i) {
        const Decimal& value = values[rows[i]];
        out.u64(static_cast<uint64_t>(value.value));
        out.u64(static_cast<uint64_t>(static_cast<uint128_t>(value.value) >> 64));
        out.i32(value.scale);
      }
      return;
    }
    case PhysicalType::kString: {
      for (uint32_t i = 0; i < rows.count(); ++i)
        out.u32(static_cast<uint32_t>(column.string_at(rows[i]).size()));
      for (uint32_t i = 0; i < rows.count(); ++i) out.bytes(column.string_at(rows[i]));
      return;
    }
    default: break;
  }
  const size_t size = physical_size(physical);
  if (rows.contiguous()) return out.bytes(data + rows.first() * size, rows.count() * size);
  switch (size) {
    case 1: return write_apart<1>(out, data, rows.list());
    case 2: return write_apart<2>(out, data, rows.list());
    case 4: return write_apart<4>(out, data, rows.list());
    case 8: return write_apart<8>(out, data, rows.list());
    default: return write_apart<16>(out, data, rows.list());
  }
}

void write_plain(ByteWriter& out, const BatchColumn& column, const NewRows& rows) {
  if (!column.has_nulls()) {
    out.u8(static_cast<uint8_t>(ColumnForm::kElements));
    return write_elements(out, column, rows);
  }
  std::string mask((rows.count() + 7) / 8, '\0');
  for (uint32_t i = 0; i < rows.count(); ++i) {
    if (!column.is_null(rows[i])) mask[i / 8] = static_cast<char>(mask[i / 8] | 1 << (i % 8));
  }
  out.u8(static_cast<uint8_t>(ColumnForm::kElementsWithMask));
  out.bytes(mask);
  write_elements(out, column, rows);
}

void write_block(ByteWriter& out, const BatchColumn& column, const NewRows& rows) {
  BatchColumn gathered(column.type(), column.dictionary());
  if (!rows.contiguous()) gathered.append_from(column, rows.list().data(), rows.count());
  const BatchColumn& source = rows.contiguous() ? column : gathered;
  const uint32_t first = rows.contiguous() ? rows.first() : 0;
  std::vector<Vector> vectors;
  for (uint32_t at = 0; at < rows.count(); at += kVectorSize)
    vectors.push_back(source.slice(first + at, std::min(kVectorSize, rows.count() - at)));
  const auto vector_count = static_cast<uint32_t>(vectors.size());
  ColumnEncoder encoder(column.type(), rows.count(), std::move(vectors));
  BlockBuilder builder;
  builder.begin(encoder.parameters());
  std::string bytes;
  for (uint32_t v = 0; v < vector_count; ++v) {
    bytes.clear();
    encoder.encode(v, &bytes, nullptr);
    builder.add(bytes);
  }
  bytes.clear();
  const BlockLocation location = builder.finish(&bytes);
  out.u8(static_cast<uint8_t>(ColumnForm::kBlock));
  out.u32(location.directory_crc);
  out.string(bytes);
}

bool mask_bit(std::string_view mask, uint32_t i) {
  return mask.empty() || ((static_cast<uint8_t>(mask[i / 8]) >> (i % 8)) & 1);
}

// Appends them all at once; what is under a NULL does not count.
void append_elements(std::string_view elements, uint32_t count, std::string_view mask, BatchColumn& column) {
  const uint32_t first = column.size();
  std::memcpy(column.append_space(count), elements.data(), elements.size());
  if (mask.empty()) return;
  for (uint32_t i = 0; i < count; ++i) {
    if (!mask_bit(mask, i)) column.set_null(first + i);
  }
}

// Reads the elements of one column and appends them; `column` null: skips them. Memory is taken when their bytes are known to be there.
void read_elements(ByteReader& in, PhysicalType physical, uint32_t count, std::string_view mask,
                   BatchColumn* column) {
  switch (physical) {
    case PhysicalType::kDecimal: {
      ByteReader elements(in.bytes(size_t{count} * 20), kLogRecord);
      if (!column) return;
      column->reserve(count);
      for (uint32_t i = 0; i < count; ++i) {
        Decimal value;
        const uint64_t low = elements.u64(), high = elements.u64();
        value.value = static_cast<int128_t>(static_cast<uint128_t>(high) << 64 | low);
        value.scale = elements.i32();
        if (mask_bit(mask, i)) {
          column->append(value);
        } else {
          column->append_null();
        }
      }
      return;
    }
    case PhysicalType::kString: {
      const std::string_view lengths = in.bytes(size_t{count} * 4);
      if (column) column->reserve(count);
      for (uint32_t i = 0; i < count; ++i) {
        uint32_t length = 0;
        std::memcpy(&length, lengths.data() + size_t{i} * 4, 4);
        const std::string_view text = in.bytes(length);
        if (!column) continue;
        if (mask_bit(mask, i)) {
          column->append_string(text);
        } else {
          column->append_null();
        }
      }
      return;
    }
    default: break;
  }
  const std::string_view elements = in.bytes(physical_size(physical) * count);
  if (column) append_elements(elements, count, mask, *column);
}

// Codes of the column's dictionary.
void read_codes(ByteReader& in, uint32_t count, std::string_view mask, BatchColumn& column) {
  const std::string_view codes = in.bytes(size_t{count} * 4);
  const uint32_t known = column.dictionary()->size();
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t code = 0;
    std::memcpy(&code, codes.data() + size_t{i} * 4, 4);
    if (code >= known && mask_bit(mask, i)) in.fail();
  }
  append_elements(codes, count, mask, column);
}

// Checksums of the block are those that a segment file has; the record's own covers them, too.
void read_block(ByteReader& in, uint32_t count, BatchColumn* column) {
  BlockLocation location;
  location.directory_crc = in.u32();
  location.vector_count = (count + kVectorSize - 1) / kVectorSize;
  const std::string_view bytes = in.string();
  if (!column) return;
  location.size = bytes.size();
  auto copy = std::make_unique_for_overwrite<char[]>(bytes.size());
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  std::shared_ptr<const EncodedBlock> block;
  try {
    block = EncodedBlock::parse(std::move(copy), location);
  } catch (const BlockDamage&) { in.fail(); }
  column->reserve(count);
  const uint32_t codes = column->dictionary() ? column->dictionary()->size() : 0;
  for (uint32_t v = 0; v < location.vector_count; ++v) {
    const uint32_t rows = std::min(kVectorSize, count - v * kVectorSize);
    Vector vector;
    block->decode(v, {column->type(), rows, codes}, &vector);
    vector.dictionary = column->dictionary().get();
    column->append_vector(vector, {nullptr, rows});
  }
}

// One column of `count` rows; `column` null: skips it.
void read_column(ByteReader& in, PhysicalType physical, uint32_t count, BatchColumn* column) {
  const uint8_t form = in.u8();
  if (form > static_cast<uint8_t>(ColumnForm::kBlock)) in.fail();
  if (form == static_cast<uint8_t>(ColumnForm::kBlock)) return read_block(in, count, column);
  const bool has_mask = form == static_cast<uint8_t>(ColumnForm::kElementsWithMask);
  const std::string_view mask = has_mask ? in.bytes((size_t{count} + 7) / 8) : std::string_view();
  if (column && column->type().id == TypeId::kSymbol) return read_codes(in, count, mask, *column);
  read_elements(in, physical, count, mask, column);
}

void append_initial(const ColumnSchema& schema, uint32_t count, BatchColumn* column) {
  Vector initial;
  read_initial(schema, &initial);
  for (uint32_t first = 0; first < count; first += kVectorSize)
    column->append_vector(initial, {nullptr, std::min(kVectorSize, count - first)});
}

}  // namespace

uint64_t logged_row_count(const PartitionChange& change) {
  return change.replaced_rows.size() + (change.encoded.empty() ? change.positions.inserted_count() : 0);
}

size_t estimate_logged_bytes(const PartitionChange& change) {
  const uint64_t rows = logged_row_count(change);
  if (rows == 0) return 0;
  size_t bytes = 0;
  for (size_t c = 0; c < change.rows->column_count(); ++c)
    bytes += 16 + rows * physical_size(physical_type(change.rows->column(c).type())) + rows / 8;
  return rows < kEncodedLogRows ? bytes : bytes / 4;
}

void write_logged_rows(ByteWriter& out, const PartitionChange& change) {
  const NewRows rows(change);
  out.varint(rows.count());
  if (rows.count() == 0) return out.varint(0);
  const TableSchema& schema = change.rows->schema();
  out.varint(schema.columns.size());
  for (size_t c = 0; c < schema.columns.size(); ++c) {
    const BatchColumn& column = change.rows->column(c);
    out.u32(static_cast<uint32_t>(schema.columns[c].id));
    out.u8(static_cast<uint8_t>(physical_type(column.type())));
    if (rows.count() < kEncodedLogRows) {
      write_plain(out, column, rows);
    } else {
      write_block(out, column, rows);
    }
  }
}

void read_logged_rows(ByteReader& in, const std::shared_ptr<const TableSchema>& schema,
                      PartitionChange* change) {
  const uint64_t rows = in.varint();
  const auto replaced = static_cast<uint32_t>(change->positions.replaced.size());
  const uint64_t inserted = change->encoded.empty() ? change->positions.inserted_count() : 0;
  if (rows > UINT32_MAX / 2 || rows != replaced + inserted) in.fail();
  const auto count = static_cast<uint32_t>(rows);
  const size_t columns = in.count(6);
  if (count == 0) {
    if (columns != 0) in.fail();
    return;
  }
  auto batch = std::make_shared<ColumnBatch>(schema);
  std::vector<bool> filled(schema->columns.size());
  for (size_t c = 0; c < columns; ++c) {
    const auto id = static_cast<ColumnId>(in.u32());
    const uint8_t physical_byte = in.u8();
    if (physical_byte > static_cast<uint8_t>(PhysicalType::kString)) in.fail();
    const auto physical = static_cast<PhysicalType>(physical_byte);
    const int index = schema->find_column(id);
    BatchColumn* target = nullptr;  // null: a column that the table no longer has
    if (index >= 0) {
      const auto i = static_cast<size_t>(index);
      if (filled[i] || physical_type(schema->columns[i].type) != physical) in.fail();
      filled[i] = true;
      target = &batch->column(i);
    }
    read_column(in, physical, count, target);
  }
  for (size_t i = 0; i < filled.size(); ++i) {
    if (!filled[i]) append_initial(schema->columns[i], count, &batch->column(i));
  }
  change->replaced_rows.resize(replaced);
  for (uint32_t i = 0; i < replaced; ++i) change->replaced_rows[i] = i;
  change->first_inserted = replaced;
  change->rows = std::move(batch);
}

}  // namespace idem
