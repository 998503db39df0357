#include "query/json_values.h"

#include <cmath>
#include <fmt/format.h>

#include "common/element_access.h"
#include "common/json_text.h"
#include "common/record_value.h"
#include "query/array_elements.h"

namespace idem {

namespace {

void append_array(std::string& out, SqlType type, const void* element, const TextOptions& options) {
  const ArrayView array(*static_cast<const std::string_view*>(element));
  const SqlType item(type.id == TypeId::kArray ? array.element() : element_type(type));
  ElementBuffer buffer;
  out += '[';
  for (uint32_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ',';
    if (array.is_null(i)) {
      out += "null";
    } else {
      array.element_at(i, buffer.bytes);
      append_json_value(out, item, buffer.bytes, options);
    }
  }
  out += ']';
}

// The names of the fields are not in the value: f1, f2 … as PostgreSQL calls those of ROW(…).
void append_record(std::string& out, const void* element, const TextOptions& options) {
  const RecordView record(*static_cast<const std::string_view*>(element));
  ElementBuffer buffer;
  out += '{';
  for (uint32_t i = 0; i < record.size(); ++i) {
    out += fmt::format("{}\"f{}\":", i > 0 ? "," : "", i + 1);
    if (record.is_null(i)) {
      out += "null";
    } else {
      record.element_at(i, buffer.bytes);
      append_json_value(out, record.type(i), buffer.bytes, options);
    }
  }
  out += '}';
}

// 2024-01-15T10:30:00+00:00
void append_iso(std::string& out, SqlType type, const void* element, const TextOptions& options) {
  std::string text;
  append_text(text, type, element, options);
  const size_t space = text.find(' ');
  if (space != std::string::npos && text.ends_with("BC")) {
    text[space] = 'T';
  } else if (space != std::string::npos) {
    text[space] = 'T';
    const size_t sign = type.id == TypeId::kTimestampTz ? text.find_last_of("+-") : std::string::npos;
    if (sign != std::string::npos && text.find(':', sign) == std::string::npos) text += ":00";
  }
  append_json_string(out, text);
}

}  // namespace

void append_json_value(std::string& out, SqlType type, const void* element, const TextOptions& options) {
  switch (type.id) {
    case TypeId::kBoolean: out += *static_cast<const uint8_t*>(element) != 0 ? "true" : "false"; return;
    case TypeId::kSmallInt:
    case TypeId::kInteger:
    case TypeId::kBigInt:
    case TypeId::kDecimal: append_text(out, type, element, options); return;
    case TypeId::kReal:
    case TypeId::kDouble: {
      const double value =
          type.id == TypeId::kDouble ? load<double>(element) : static_cast<double>(load<float>(element));
      if (std::isfinite(value)) {
        append_text(out, type, element, options);
        return;
      }
      break;
    }
    case TypeId::kJson:
    case TypeId::kJsonb: out += *static_cast<const std::string_view*>(element); return;
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz: append_iso(out, type, element, options); return;
    case TypeId::kArray:
    case TypeId::kInt2Vector: append_array(out, type, element, options); return;
    case TypeId::kRecord: append_record(out, element, options); return;
    default: break;
  }
  append_json_key(out, type, element, options);
}

void append_json_key(std::string& out, SqlType type, const void* element, const TextOptions& options) {
  std::string text;
  append_text(text, type, element, options);
  append_json_string(out, text);
}

}  // namespace idem
