#include "query/copy_reader.h"

#include <algorithm>
#include <cstring>

#include "common/error.h"
#include "common/number_text.h"
#include "common/timestamp_text.h"
#include "common/utf8.h"

namespace idem {

namespace {

constexpr uint32_t kBatchRows = 64 * 1024;
constexpr size_t kShownCharacters = 100;
constexpr std::string_view kBinarySignature("PGCOPY\n\377\r\n\0", 11);

uint32_t get32(const char* p) {
  uint32_t v;
  std::memcpy(&v, p, 4);
  return __builtin_bswap32(v);
}

template <class T, class E>
void put(E& element, T value) {
  std::memcpy(element.bytes.data(), &value, sizeof(T));
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

CopyReader::CopyReader(const CopyFormat& format, std::shared_ptr<const TableSchema> schema, std::vector<uint32_t> targets,
                       std::vector<Value> defaults, const TextOptions& text, std::function<void(ColumnBatch&&)> sink)
    : format_(format), schema_(std::move(schema)), text_(text), sink_(std::move(sink)) {
  text_.allow_integer_timestamps = true;
  for (uint32_t column : targets) {
    const ColumnSchema& c = schema_->columns[column];
    Target t;
    t.column = column;
    t.type = c.type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : c.type;
    t.force_null = contains(format_.force_null, c.name);
    t.force_not_null = contains(format_.force_not_null, c.name);
    switch (t.type.id) {
      case TypeId::kSmallInt: t.conversion = Conversion::kInt16; break;
      case TypeId::kInteger: t.conversion = Conversion::kInt32; break;
      case TypeId::kBigInt: t.conversion = Conversion::kInt64; break;
      case TypeId::kReal: t.conversion = Conversion::kFloat; break;
      case TypeId::kDouble: t.conversion = Conversion::kDouble; break;
      case TypeId::kTimestamp: t.conversion = Conversion::kTimestamp; break;
      case TypeId::kDate: t.conversion = Conversion::kDate; break;
      case TypeId::kText: t.conversion = Conversion::kString; break;
      case TypeId::kVarchar: t.conversion = t.type.modifier < 0 ? Conversion::kString : Conversion::kGeneric; break;
      default: break;
    }
    targets_.push_back(t);
  }
  for (uint32_t c = 0; c < schema_->columns.size(); c++) {
    if (std::find(targets.begin(), targets.end(), c) == targets.end()) defaults_.emplace_back(c, std::move(defaults[c]));
  }
  elements_.resize(targets_.size());
  nulls_.resize(targets_.size());
  batch_ = std::make_unique<ColumnBatch>(schema_);
  header_done_ = format_.header == CopyFormat::Header::kNone;
}

void CopyReader::feed(std::string_view bytes) {
  if (ended_) return;  // behind \. or the binary trailer
  buffer_.append(bytes);
  if (format_.kind == CopyFormat::Kind::kBinary) parse_binary_rows(false);
  else parse_lines(false);
}

void CopyReader::finish() {
  if (!ended_) {
    if (format_.kind == CopyFormat::Kind::kBinary) parse_binary_rows(true);
    else parse_lines(true);
  }
  hand_over();
}

void CopyReader::hand_over() {
  if (batch_->rows() == 0) return;
  sink_(std::move(*batch_));
  batch_ = std::make_unique<ColumnBatch>(schema_);
}

// -- lines ----------------------------------------------------------------------------------------------

void CopyReader::parse_lines(bool at_end) {
  size_t at = 0;
  while (at < buffer_.size() && !ended_) {
    fields_.clear();
    scratch_.clear();
    size_t end = format_.kind == CopyFormat::Kind::kCsv ? split_csv(at, at_end) : split_text(at, at_end);
    if (end == std::string::npos) break;
    line_ += row_lines_;
    std::string_view line = std::string_view(buffer_).substr(at, end - at);
    if (line == "\\.\n" || line == "\\.\r\n" || line == "\\.") {
      ended_ = true;
    } else if (!header_done_) {
      take_header();
    } else {
      take_row();
    }
    at = end;
  }
  buffer_.erase(0, at);
}

// Points at fields in the buffer; only those with escapes are copied to scratch_. Their place in it is kept as an offset until the
// row is complete, since scratch_ may move.
size_t CopyReader::split_csv(size_t at, bool at_end) {
  const char* const begin = buffer_.data();
  const char* const limit = begin + buffer_.size();
  const char* p = begin + at;
  const char delimiter = format_.delimiter, quote = format_.quote, escape = format_.escape;
  row_lines_ = 1;
  bool copied = false;
  while (true) {
    Field field;
    const char* start = p;
    if (p < limit && *p == quote) {
      // Quoted (perhaps in parts): copied to scratch_ unless it is one plain quoted run.
      field.quoted = true;
      size_t scratch_at = scratch_.size();
      bool in_quotes = false, plain = true;
      const char* run = nullptr;
      const char* run_end = nullptr;
      while (true) {
        if (p == limit) {
          if (!at_end) return std::string::npos;
          if (in_quotes) {
            throw SqlError(sqlstate::kBadCopyFileFormat, "unterminated CSV quoted field")
                .with_context(fmt::format("COPY {}, line {}", schema_->name, line_ + row_lines_));
          }
          break;
        }
        char c = *p;
        if (in_quotes) {
          if (c == escape && p + 1 == limit && !at_end) return std::string::npos;
          if (c == escape && p + 1 < limit && (p[1] == quote || p[1] == escape) && (escape != quote || p[1] == quote)) {
            if (plain) scratch_.append(run, p);
            plain = false;
            scratch_.push_back(p[1]);
            p += 2;
            continue;
          }
          if (c == quote) {
            in_quotes = false;
            run_end = p++;
            continue;
          }
          if (c == '\n') row_lines_++;
          if (!plain) scratch_.push_back(c);
          p++;
          continue;
        }
        if (c == quote) {
          if (!run) {
            run = p + 1;
          } else if (plain) {
            scratch_.append(run, run_end);
            plain = false;
          }
          in_quotes = true;
          p++;
          continue;
        }
        if (c == delimiter || c == '\n' || c == '\r') break;
        if (plain) scratch_.append(run, run_end);
        plain = false;
        scratch_.push_back(c);
        p++;
      }
      if (plain) {
        field.text = {run, static_cast<size_t>(run_end - run)};
      } else {
        copied = true;
        field.text = {nullptr, scratch_.size() - scratch_at};
      }
    } else {
      while (p < limit && *p != delimiter && *p != '\n' && *p != '\r') {
        if (*p == quote) break;
        p++;
      }
      if (p < limit && *p == quote) {
        throw SqlError(sqlstate::kBadCopyFileFormat, "unexpected quote in an unquoted CSV field")
            .with_context(fmt::format("COPY {}, line {}", schema_->name, line_ + 1));
      }
      field.text = {start, static_cast<size_t>(p - start)};
    }
    fields_.push_back(field);
    if (p == limit) {
      if (!at_end) return std::string::npos;
      break;
    }
    if (*p == delimiter) {
      p++;
      continue;
    }
    if (*p == '\r') {
      if (p + 1 == limit && !at_end) return std::string::npos;
      p++;
      if (p < limit && *p == '\n') p++;
      break;
    }
    p++;  // newline
    break;
  }
  if (copied) {
    size_t offset = 0;
    for (Field& f : fields_) {
      if (!f.quoted || f.text.data()) continue;
      f.text = std::string_view(scratch_).substr(offset, f.text.size());
      offset += f.text.size();
    }
  }
  return static_cast<size_t>(p - begin);
}

size_t CopyReader::split_text(size_t at, bool at_end) {
  row_lines_ = 1;
  // An escaped newline does not end the row.
  size_t end = at;
  while (true) {
    end = buffer_.find('\n', end);
    if (end == std::string::npos) {
      if (!at_end) return std::string::npos;
      end = buffer_.size();
      break;
    }
    size_t backslashes = 0;
    while (end - backslashes > at && buffer_[end - backslashes - 1] == '\\') backslashes++;
    if (backslashes % 2 == 0) break;
    row_lines_++;
    end++;
  }
  size_t next = end < buffer_.size() ? end + 1 : end;
  if (end > at && buffer_[end - 1] == '\r') end--;
  std::string_view line = std::string_view(buffer_).substr(at, end - at);
  scratch_.reserve(line.size());  // so that fields in it do not move
  size_t from = 0;
  while (true) {
    size_t stop = from;
    bool escaped = false;
    while (stop < line.size() && line[stop] != format_.delimiter) {
      if (line[stop] == '\\' && stop + 1 < line.size()) {
        escaped = true;
        stop++;
      }
      stop++;
    }
    Field field;
    std::string_view raw = line.substr(from, std::min(stop, line.size()) - from);
    if (raw == format_.null) field.is_null = true;
    else if (escaped) unescape_text(raw, field);
    else field.text = raw;
    fields_.push_back(field);
    if (stop >= line.size()) break;
    from = stop + 1;
  }
  return next;
}

void CopyReader::unescape_text(std::string_view raw, Field& field) {
  size_t start = scratch_.size();
  for (size_t i = 0; i < raw.size(); i++) {
    char c = raw[i];
    if (c != '\\' || i + 1 == raw.size()) {
      scratch_.push_back(c);
      continue;
    }
    c = raw[++i];
    auto digit_of = [](char d) { return d >= '0' && d <= '9' ? d - '0' : (d | 32) >= 'a' && (d | 32) <= 'f' ? (d | 32) - 'a' + 10 : 99; };
    switch (c) {
      case 'b': scratch_.push_back('\b'); break;
      case 'f': scratch_.push_back('\f'); break;
      case 'n': scratch_.push_back('\n'); break;
      case 'r': scratch_.push_back('\r'); break;
      case 't': scratch_.push_back('\t'); break;
      case 'v': scratch_.push_back('\v'); break;
      case 'x':
        if (i + 1 < raw.size() && digit_of(raw[i + 1]) < 16) {
          int value = digit_of(raw[++i]);
          if (i + 1 < raw.size() && digit_of(raw[i + 1]) < 16) value = value * 16 + digit_of(raw[++i]);
          scratch_.push_back(static_cast<char>(value));
        } else {
          scratch_.push_back('x');
        }
        break;
      default:
        if (c >= '0' && c <= '7') {
          int value = c - '0';
          for (int k = 0; k < 2 && i + 1 < raw.size() && raw[i + 1] >= '0' && raw[i + 1] <= '7'; k++) value = value * 8 + (raw[++i] - '0');
          scratch_.push_back(static_cast<char>(value));
        } else {
          scratch_.push_back(c);
        }
    }
  }
  field.text = std::string_view(scratch_).substr(start);
}

void CopyReader::take_header() {
  header_done_ = true;
  if (format_.header != CopyFormat::Header::kMatch) return;
  if (fields_.size() != targets_.size()) {
    throw sql_error(sqlstate::kBadCopyFileFormat, "wrong number of fields in header line: got {}, expected {}", fields_.size(), targets_.size())
        .with_context(fmt::format("COPY {}, line 1", schema_->name));
  }
  for (size_t i = 0; i < fields_.size(); i++) {
    const std::string& expected = schema_->columns[targets_[i].column].name;
    if (fields_[i].text != expected) {
      throw sql_error(sqlstate::kBadCopyFileFormat, "column name mismatch in header line field {}: got \"{}\", expected \"{}\"", i + 1,
                      fields_[i].text, expected)
          .with_context(fmt::format("COPY {}, line 1", schema_->name));
    }
  }
}

void CopyReader::take_row() {
  size_t target = 0;
  const Field* field = nullptr;
  try {
    if (fields_.size() != targets_.size()) {
      bool fewer = fields_.size() < targets_.size();
      if (fewer && fields_.size() == 1 && fields_[0].text.empty() && !fields_[0].quoted && targets_.size() > 1 &&
          format_.kind == CopyFormat::Kind::kCsv) {
        throw sql_error(sqlstate::kBadCopyFileFormat, "missing data for column \"{}\"", schema_->columns[targets_[1].column].name);
      }
      if (fewer) throw sql_error(sqlstate::kBadCopyFileFormat, "missing data for column \"{}\"", schema_->columns[targets_[fields_.size()].column].name);
      throw SqlError(sqlstate::kBadCopyFileFormat, "extra data after last expected column");
    }
    bool csv = format_.kind == CopyFormat::Kind::kCsv;
    for (target = 0; target < targets_.size(); target++) {
      const Target& t = targets_[target];
      field = &fields_[target];
      bool is_null = field->is_null;
      if (csv) is_null = field->quoted ? t.force_null && field->text == format_.null : !t.force_not_null && field->text == format_.null;
      nulls_[target] = is_null;
      if (is_null) {
        if (schema_->columns[t.column].not_null || static_cast<int>(t.column) == schema_->timestamp_column) {
          throw sql_error(sqlstate::kNotNullViolation, "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                          schema_->columns[t.column].name, schema_->name);
        }
        continue;
      }
      convert(t, field->text, elements_[target]);
    }
  } catch (SqlError& error) {
    fail(std::move(error), target, field);
    return;
  }
  append_converted();
}

void CopyReader::fail(SqlError error, size_t target, const Field* field) {
  if (format_.on_error == CopyFormat::OnError::kIgnore) {
    rejected_++;
    arena_.reset();
    if (!format_.reject_limit || rejected_ <= *format_.reject_limit) return;
    error = sql_error(error.sqlstate(), "skipped more than REJECT_LIMIT ({}) rows; the last one: {}", *format_.reject_limit, error.message());
  }
  std::string context = fmt::format("COPY {}, line {}", schema_->name, line_);
  if (field && target < targets_.size()) {
    std::string_view shown = utf8_substring(field->text, 0, kShownCharacters);
    context += fmt::format(", column {}: \"{}{}\"", schema_->columns[targets_[target].column].name, shown,
                           shown.size() < field->text.size() ? "..." : "");
  }
  throw error.with_context(std::move(context));
}

void CopyReader::convert(const Target& t, std::string_view text, Element& element) {
  const char *begin = text.data(), *end = begin + text.size();
  switch (t.conversion) {
    case Conversion::kInt16: {
      int16_t v;
      if (!parse_int16(begin, end, &v)) v = int16_from_text(text);
      return put(element, v);
    }
    case Conversion::kInt32: {
      int32_t v;
      if (!parse_int32(begin, end, &v)) v = int32_from_text(text);
      return put(element, v);
    }
    case Conversion::kInt64: {
      int64_t v;
      if (!parse_int64(begin, end, &v)) v = int64_from_text(text);
      return put(element, v);
    }
    case Conversion::kFloat: {
      float v;
      if (!parse_float(begin, end, &v)) v = float_from_text(text);
      return put(element, v);
    }
    case Conversion::kDouble: {
      double v;
      if (!parse_double(begin, end, &v)) v = double_from_text(text);
      return put(element, v);
    }
    case Conversion::kTimestamp: {
      int64_t v;
      if (parse_timestamp_fast(begin, end, ZoneSuffix::kApply, &v)) return put(element, v);
      break;
    }
    case Conversion::kDate: {
      int32_t v;
      if (parse_date_fast(begin, end, &v)) return put(element, v);
      break;
    }
    case Conversion::kString:
      if (!is_valid_utf8(text)) check_utf8(text);
      return put(element, text);
    case Conversion::kGeneric:
      if (physical_type(t.type) == PhysicalType::kString && t.type.id != TypeId::kBytea) check_utf8(text);
      break;
  }
  parse_text(t.type, text, element.bytes.data(), arena_, text_);
}

void CopyReader::append_converted() {
  ColumnBatch& batch = *batch_;
  for (size_t i = 0; i < targets_.size(); i++) {
    BatchColumn& column = batch.column(targets_[i].column);
    if (nulls_[i]) {
      column.append_null();
    } else if (physical_type(targets_[i].type) == PhysicalType::kString) {
      std::string_view text;
      std::memcpy(&text, elements_[i].bytes.data(), sizeof(text));
      column.append_string(text);
    } else {
      column.append_raw(elements_[i].bytes.data());
    }
  }
  for (const auto& [column, value] : defaults_) batch.column(column).append_value(value);
  if (arena_.bytes() > 0) arena_.reset();
  rows_++;
  if (batch.rows() >= kBatchRows) hand_over();
}

// -- binary ---------------------------------------------------------------------------------------------

void CopyReader::parse_binary_rows(bool at_end) {
  auto damaged = [&](std::string text) {
    return SqlError(sqlstate::kBadCopyFileFormat, std::move(text)).with_context(fmt::format("COPY {}, line {}", schema_->name, line_));
  };
  size_t at = 0;
  std::string_view in = buffer_;
  if (!binary_header_done_) {
    if (in.size() < kBinarySignature.size() + 8) {
      if (at_end) throw damaged("COPY file signature not recognized");
      return;
    }
    if (!in.starts_with(kBinarySignature)) throw damaged("COPY file signature not recognized");
    uint32_t flags = get32(in.data() + 11), extension = get32(in.data() + 15);
    if (flags & 0xffff0000u) throw damaged("unrecognized critical flags in COPY file header");
    if (extension > (1u << 20)) throw damaged("invalid COPY file header (wrong length)");
    if (in.size() < 19 + size_t{extension}) return;
    at = 19 + extension;
    binary_header_done_ = true;
  }
  while (!ended_) {
    size_t p = at;
    if (in.size() - p < 2) break;
    int16_t count = static_cast<int16_t>(static_cast<uint8_t>(in[p]) << 8 | static_cast<uint8_t>(in[p + 1]));
    p += 2;
    if (count == -1) {
      ended_ = true;
      at = in.size();
      break;
    }
    line_++;
    if (static_cast<size_t>(count) != targets_.size()) {
      throw damaged(fmt::format("row field count is {}, expected {}", count, targets_.size()));
    }
    bool complete = true;
    for (size_t i = 0; i < targets_.size() && complete; i++) {
      if (in.size() - p < 4) {
        complete = false;
        break;
      }
      int32_t length = static_cast<int32_t>(get32(in.data() + p));
      p += 4;
      nulls_[i] = length == -1;
      if (length == -1) continue;
      if (length < 0) throw damaged("invalid field size");
      if (in.size() - p < static_cast<size_t>(length)) {
        complete = false;
        break;
      }
      try {
        parse_binary(targets_[i].type, std::span<const char>(in.data() + p, static_cast<size_t>(length)), elements_[i].bytes.data(), arena_);
        if (physical_type(targets_[i].type) == PhysicalType::kString && targets_[i].type.id != TypeId::kBytea) {
          std::string_view text;
          std::memcpy(&text, elements_[i].bytes.data(), sizeof(text));
          check_utf8(text);
        }
      } catch (SqlError& error) {
        throw error.with_context(fmt::format("COPY {}, line {}, column {}", schema_->name, line_, schema_->columns[targets_[i].column].name));
      }
      p += static_cast<size_t>(length);
    }
    if (!complete) {
      line_--;
      arena_.reset();
      break;
    }
    for (size_t i = 0; i < targets_.size(); i++) {
      const ColumnSchema& c = schema_->columns[targets_[i].column];
      if (nulls_[i] && (c.not_null || static_cast<int>(targets_[i].column) == schema_->timestamp_column)) {
        throw sql_error(sqlstate::kNotNullViolation, "null value in column \"{}\" of relation \"{}\" violates not-null constraint", c.name, schema_->name)
            .with_context(fmt::format("COPY {}, line {}, column {}", schema_->name, line_, c.name));
      }
    }
    append_converted();
    at = p;
  }
  buffer_.erase(0, at);
  if (at_end && !ended_) throw damaged("unexpected EOF in COPY data");
}

}  // namespace idem
