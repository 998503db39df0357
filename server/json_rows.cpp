#include "server/json_rows.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/json_text.h"
#include "common/number_text.h"
#include "common/timestamp_text.h"
#include "query/json_values.h"

namespace idem {

namespace {

// Lets `format` write at most `room` characters.
template <class Format>
void append_formatted(std::string& out, size_t room, Format format) {
  const size_t at = out.size();
  out.resize(at + room);
  out.resize(static_cast<size_t>(format(out.data() + at) - out.data()));
}

void append_integer(std::string& out, int64_t value) {
  append_formatted(out, kMaxIntegerText, [value](char* p) { return format_int64(p, value); });
}

// 2024-01-15 10:00:01.25 as "2024-01-15T10:00:01.250000Z". What has no such form, years after 9999 or before Christ and the infinite ones, stays
// as PostgreSQL writes it.
void append_timestamp(std::string& out, int64_t micros) {
  constexpr size_t kSpace = 10, kSeconds = 19, kMicros = 26;
  char text[kMaxTimestampText];
  const std::string_view written(text, static_cast<size_t>(format_timestamp(text, micros) - text));
  out += '"';
  const bool is_plain = written.size() >= kSeconds && written.size() <= kMicros && written[kSpace] == ' ' &&
                        written.back() != 'C';
  if (!is_plain) {
    out.append(written) += '"';
    return;
  }
  out.append(written.substr(0, kSpace)) += 'T';
  out.append(written.substr(kSpace + 1));
  if (written.size() == kSeconds) out += '.';
  out.append(kMicros - std::max(written.size(), kSeconds + 1), '0').append("Z\"");
}

}  // namespace

JsonRows::AppendFunction JsonRows::append_function(SqlType type) {
  switch (type.id) {
    case TypeId::kInteger:
      return [](const Column& c, uint32_t row, std::string& out) {
        append_integer(out, c.vector.values<int32_t>()[row]);
      };
    case TypeId::kBigInt:
      return [](const Column& c, uint32_t row, std::string& out) {
        append_integer(out, c.vector.values<int64_t>()[row]);
      };
    case TypeId::kDouble:
      return [](const Column& c, uint32_t row, std::string& out) {
        const double value = c.vector.values<double>()[row];
        const bool is_number = std::isfinite(value);
        if (!is_number) out += '"';
        append_formatted(out, kMaxDoubleText, [value](char* p) { return format_double(p, value); });
        if (!is_number) out += '"';
      };
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return [](const Column& c, uint32_t row, std::string& out) {
        append_timestamp(out, c.vector.values<int64_t>()[row]);
      };
    default: break;
  }
  if (is_string_like(type.id) && physical_type(type) == PhysicalType::kString)
    return [](const Column& c, uint32_t row, std::string& out) {
      append_json_string(out, c.vector.values<std::string_view>()[row]);
    };
  return [](const Column& c, uint32_t row, std::string& out) {
    const size_t at = out.size();
    append_json_value(out, c.type, static_cast<const char*>(c.vector.data) + size_t{row} * c.element_size,
                      TextOptions());
    if (c.type.id == TypeId::kDecimal && (out[at] == 'N' || out[at] == 'I' || out.compare(at, 2, "-I") == 0))
      (out.insert(at, 1, '"')) += '"';
  };
}

JsonRows::JsonRows(const std::vector<PlanColumn>& columns, bool quotes_large_numbers)
    : columns_(columns.size()) {
  for (size_t i = 0; i < columns.size(); ++i) {
    Column& c = columns_[i];
    c.type = columns[i].type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : columns[i].type;
    c.append = append_function(c.type);
    c.element_size = static_cast<uint32_t>(physical_size(physical_type(c.type)));
    c.is_quoted = quotes_large_numbers && (c.type.id == TypeId::kBigInt || c.type.id == TypeId::kDecimal);
  }
}

void JsonRows::append_columns(const std::vector<PlanColumn>& columns, std::string& out) {
  out += '[';
  for (const PlanColumn& column : columns) {
    out += &column == &columns.front() ? "{\"name\":" : ",{\"name\":";
    append_json_string(out, column.name);
    out += ",\"type\":";
    append_json_string(out, dialect_type_name(column.type));
    out += ",\"pg_type\":";
    append_json_string(out, format_type(column.type));
    out += '}';
  }
  out += ']';
}

void JsonRows::append(const DataChunk& chunk, uint32_t first, uint32_t count, std::string& out) {
  for (size_t i = 0; i < columns_.size(); ++i)
    columns_[i].vector = flatten(chunk.columns[i], chunk.size, chunk.selection, true);
  for (uint32_t i = first; i < first + count; ++i) {
    const uint32_t row = chunk.selection[i];
    if (std::exchange(any_, true)) out += ',';
    out += '[';
    for (const Column& column : columns_) {
      if (&column != &columns_.front()) out += ',';
      if (!column.vector.is_valid(row)) {
        out += "null";
      } else if (column.is_quoted) {
        const size_t at = out.size();
        column.append(column, row, out);
        if (out[at] != '"') (out.insert(at, 1, '"')) += '"';
      } else {
        column.append(column, row, out);
      }
    }
    out += ']';
  }
  // Vectors may keep memory of the query's operators, which must not outlive the query.
  for (Column& column : columns_) column.vector = Vector();
}

}  // namespace idem
