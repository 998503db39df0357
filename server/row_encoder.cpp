#include "server/row_encoder.h"

#include <bit>
#include <cstring>

#include "common/number_text.h"
#include "common/timestamp_text.h"
#include "server/backend_message.h"

namespace idem {

namespace {

constexpr int64_t kPostgresEpochMicros = 946'684'800'000'000;  // 2000-01-01

void put32(char* at, uint32_t v) {
  uint32_t big_endian = __builtin_bswap32(v);
  std::memcpy(at, &big_endian, 4);
}

// Lets `write` put at most `room` characters behind a length word and fills that in.
template <class Write>
void append_sized(std::string& out, size_t room, Write write) {
  size_t at = out.size();
  out.resize(at + 4 + room);
  char* body = out.data() + at + 4;
  char* end = write(body);
  put32(out.data() + at, static_cast<uint32_t>(end - body));
  out.resize(static_cast<size_t>(end - out.data()));
}

template <class T>
void append_fixed(std::string& out, T big_endian) {
  char raw[4 + sizeof(T)];
  put32(raw, sizeof(T));
  std::memcpy(raw + 4, &big_endian, sizeof(T));
  out.append(raw, sizeof(raw));
}

}  // namespace

RowEncoder::EncodeFunction RowEncoder::encode_function(SqlType type, bool binary) {
  if (binary) {
    switch (type.id) {
      case TypeId::kBigInt:
        return [](const Column& c, uint32_t row, const TextOptions&, std::string& out) {
          append_fixed(out, __builtin_bswap64(static_cast<uint64_t>(c.vector.values<int64_t>()[row])));
        };
      case TypeId::kInteger:
        return [](const Column& c, uint32_t row, const TextOptions&, std::string& out) {
          append_fixed(out, __builtin_bswap32(static_cast<uint32_t>(c.vector.values<int32_t>()[row])));
        };
      case TypeId::kDouble:
        return [](const Column& c, uint32_t row, const TextOptions&, std::string& out) {
          append_fixed(out, __builtin_bswap64(std::bit_cast<uint64_t>(c.vector.values<double>()[row])));
        };
      case TypeId::kTimestamp:
      case TypeId::kTimestampTz:
        return [](const Column& c, uint32_t row, const TextOptions&, std::string& out) {
          int64_t v = c.vector.values<int64_t>()[row];
          bool infinite = v == INT64_MIN || v == INT64_MAX;
          append_fixed(out,
                       __builtin_bswap64(static_cast<uint64_t>(infinite ? v : v - kPostgresEpochMicros)));
        };
      default: break;
    }
    if (is_string_like(type.id)) binary = false;  // the same bytes in both formats
  }
  if (binary) {
    return [](const Column& c, uint32_t row, const TextOptions&, std::string& out) {
      size_t at = out.size();
      out.append(4, '\0');
      append_binary(out, c.type, static_cast<const char*>(c.vector.data) + size_t{row} * c.element_size);
      put32(out.data() + at, static_cast<uint32_t>(out.size() - at - 4));
    };
  }
  switch (type.id) {
    case TypeId::kBigInt:
      return [](const Column& c, uint32_t row, const TextOptions&, std::string& out) {
        append_sized(out, kMaxIntegerText,
                     [&](char* p) { return format_int64(p, c.vector.values<int64_t>()[row]); });
      };
    case TypeId::kInteger:
      return [](const Column& c, uint32_t row, const TextOptions&, std::string& out) {
        append_sized(out, kMaxIntegerText,
                     [&](char* p) { return format_int32(p, c.vector.values<int32_t>()[row]); });
      };
    case TypeId::kDouble:
      return [](const Column& c, uint32_t row, const TextOptions& text, std::string& out) {
        append_sized(out, kMaxDoubleText, [&](char* p) {
          return format_double(p, c.vector.values<double>()[row], text.extra_float_digits);
        });
      };
    case TypeId::kTimestamp:
      return [](const Column& c, uint32_t row, const TextOptions&, std::string& out) {
        append_sized(out, kMaxTimestampText,
                     [&](char* p) { return format_timestamp(p, c.vector.values<int64_t>()[row]); });
      };
    default: break;
  }
  if (physical_type(type) == PhysicalType::kString &&
      (is_string_like(type.id) || type.id == TypeId::kJson || type.id == TypeId::kJsonb)) {
    return [](const Column& c, uint32_t row, const TextOptions&, std::string& out) {
      std::string_view s = c.vector.values<std::string_view>()[row];
      char length[4];
      put32(length, static_cast<uint32_t>(s.size()));
      out.append(length, 4).append(s);
    };
  }
  return [](const Column& c, uint32_t row, const TextOptions& text, std::string& out) {
    size_t at = out.size();
    out.append(4, '\0');
    append_text(out, c.type, static_cast<const char*>(c.vector.data) + size_t{row} * c.element_size, text);
    put32(out.data() + at, static_cast<uint32_t>(out.size() - at - 4));
  };
}

RowEncoder::RowEncoder(const std::vector<PlanColumn>& columns, const std::vector<int16_t>& formats,
                       std::shared_ptr<const TimeZone> zone, int extra_float_digits)
    : zone_(std::move(zone)) {
  text_.zone = zone_.get();
  text_.extra_float_digits = extra_float_digits;
  columns_.resize(columns.size());
  for (size_t i = 0; i < columns.size(); i++) {
    Column& c = columns_[i];
    c.type = columns[i].type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : columns[i].type;
    c.encode = encode_function(c.type, format_of_column(formats, i) == 1);
    c.element_size = static_cast<uint32_t>(physical_size(physical_type(c.type)));
  }
}

void RowEncoder::encode(const DataChunk& chunk, uint32_t first, uint32_t count, std::string& out) {
  for (size_t i = 0; i < columns_.size(); i++) {
    columns_[i].vector = flatten(chunk.columns[i], chunk.size, chunk.selection, true);
  }
  for (uint32_t i = first; i < first + count; i++) {
    uint32_t row = chunk.selection[i];
    size_t start = out.size();
    out.append("D\0\0\0\0\0\0", 7);
    out[start + 5] = static_cast<char>(columns_.size() >> 8);
    out[start + 6] = static_cast<char>(columns_.size());
    for (const Column& column : columns_) {
      if (column.vector.is_valid(row)) column.encode(column, row, text_, out);
      else out.append("\xff\xff\xff\xff", 4);
    }
    put32(out.data() + start + 1, static_cast<uint32_t>(out.size() - start - 1));
  }
  // Vectors may keep memory of the query's operators, which must not outlive the query.
  for (Column& column : columns_) column.vector = Vector();
}

}  // namespace idem
