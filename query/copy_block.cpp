#include "query/copy_block.h"

#include <algorithm>
#include <cstring>

#include "common/number_text.h"
#include "common/timestamp_text.h"
#include "common/utf8.h"

namespace idem {

namespace {

constexpr size_t kShownCharacters = 100;
constexpr uint32_t kMostCarefulRows = 256;
constexpr uint32_t kMostExpectedRows = 65'536;

template <class T, class E>
void put(E& element, T value) {
  std::memcpy(element.bytes.data(), &value, sizeof(T));
}

}  // namespace

CopyBlockReader::CopyBlockReader(const CopyLayout& layout)
    : layout_(layout), schema_(layout.schema.get()), fields_of_group_(layout), columns_(layout) {
  elements_.resize(layout.targets.size());
  nulls_.resize(layout.targets.size());
}

size_t CopyBlockReader::read(std::string_view bytes, bool begins, bool at_end, CopyBlock* block) {
  text_ = bytes;
  block_ = block;
  line_ = block->lines;
  if (!block->rows) {
    block->rows = std::make_unique<ColumnBatch>(layout_.schema);
    block->rows->reserve(expected_rows_);
  }
  const bool binary = layout_.format.kind == CopyFormat::Kind::kBinary;
  if (begins) {
    header_pending_ = !binary && layout_.format.header != CopyFormat::Header::kNone;
    binary_header_pending_ = binary;
  }
  size_t taken = 0;
  try {
    taken = binary ? read_binary(at_end) : read_lines(at_end);
  } catch (const CopyFailure& failure) { block->failure = failure; }
  block->lines = line_;
  expected_rows_ = std::min(block->rows->rows() + block->rows->rows() / 16, kMostExpectedRows);
  return taken;
}

void CopyBlockReader::stop(SqlError error, uint64_t line, std::string where) {
  throw CopyFailure{std::move(error), line, std::move(where)};
}

// -- lines ----------------------------------------------------------------------------------------------

size_t CopyBlockReader::read_lines(bool at_end) {
  const bool csv = layout_.format.kind == CopyFormat::Kind::kCsv;
  size_t at = 0;
  size_t careful_until = 0;  // rows that did not convert together are read one by one
  while (at < text_.size() && !block_->ended) {
    if (careful_rows_ == 0 && at >= careful_until && !header_pending_) {
      if (fields_of_group_.find(text_, at)) {
        careful_next_ = 1;
        if (columns_.append(text_, fields_of_group_, block_->rows.get())) {
          at = fields_of_group_.end();
          line_ += fields_of_group_.rows();
          continue;
        }
        careful_until = fields_of_group_.end();
      } else {
        careful_rows_ = careful_next_;
        careful_next_ = std::min(careful_next_ * 2, kMostCarefulRows);
      }
    }
    if (careful_rows_ > 0) --careful_rows_;
    fields_.clear();
    scratch_.clear();
    const size_t end = csv ? split_csv(at, at_end) : split_text(at, at_end);
    if (end == std::string::npos) break;
    line_ += row_lines_;
    const std::string_view line = text_.substr(at, end - at);
    if (line == "\\.\n" || line == "\\.\r\n" || line == "\\.") {
      block_->ended = true;
    } else if (header_pending_) {
      take_header();
    } else {
      take_row();
    }
    at = end;
  }
  return at;
}

// Points at fields in the buffer; only those with escapes are copied to scratch_. Their place in it is kept as an offset until the
// row is complete, since scratch_ may move.
size_t CopyBlockReader::split_csv(size_t at, bool at_end) {
  const char* const begin = text_.data();
  const char* const limit = begin + text_.size();
  const char* p = begin + at;
  const char delimiter = layout_.format.delimiter, quote = layout_.format.quote,
             escape = layout_.format.escape;
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
            stop(SqlError(sqlstate::kBadCopyFileFormat, "unterminated CSV quoted field"), line_ + row_lines_);
          }
          break;
        }
        char c = *p;
        if (in_quotes) {
          if (c == escape && p + 1 == limit && !at_end) return std::string::npos;
          if (c == escape && p + 1 < limit && (p[1] == quote || p[1] == escape) &&
              (escape != quote || p[1] == quote)) {
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
        stop(SqlError(sqlstate::kBadCopyFileFormat, "unexpected quote in an unquoted CSV field"), line_ + 1);
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

size_t CopyBlockReader::split_text(size_t at, bool at_end) {
  row_lines_ = 1;
  // An escaped newline does not end the row.
  size_t end = at;
  while (true) {
    end = text_.find('\n', end);
    if (end == std::string::npos) {
      if (!at_end) return std::string::npos;
      end = text_.size();
      break;
    }
    size_t backslashes = 0;
    while (end - backslashes > at && text_[end - backslashes - 1] == '\\') backslashes++;
    if (backslashes % 2 == 0) break;
    row_lines_++;
    end++;
  }
  size_t next = end < text_.size() ? end + 1 : end;
  if (end > at && text_[end - 1] == '\r') end--;
  std::string_view line = text_.substr(at, end - at);
  scratch_.reserve(line.size());  // so that fields in it do not move
  size_t from = 0;
  while (true) {
    size_t stop = from;
    bool escaped = false;
    while (stop < line.size() && line[stop] != layout_.format.delimiter) {
      if (line[stop] == '\\' && stop + 1 < line.size()) {
        escaped = true;
        stop++;
      }
      stop++;
    }
    Field field;
    std::string_view raw = line.substr(from, std::min(stop, line.size()) - from);
    if (raw == layout_.format.null) field.is_null = true;
    else if (escaped) unescape_text(raw, field);
    else field.text = raw;
    fields_.push_back(field);
    if (stop >= line.size()) break;
    from = stop + 1;
  }
  return next;
}

void CopyBlockReader::unescape_text(std::string_view raw, Field& field) {
  size_t start = scratch_.size();
  for (size_t i = 0; i < raw.size(); i++) {
    char c = raw[i];
    if (c != '\\' || i + 1 == raw.size()) {
      scratch_.push_back(c);
      continue;
    }
    c = raw[++i];
    auto digit_of = [](char d) {
      return d >= '0' && d <= '9' ? d - '0' : (d | 32) >= 'a' && (d | 32) <= 'f' ? (d | 32) - 'a' + 10 : 99;
    };
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
          for (int k = 0; k < 2 && i + 1 < raw.size() && raw[i + 1] >= '0' && raw[i + 1] <= '7'; k++)
            value = value * 8 + (raw[++i] - '0');
          scratch_.push_back(static_cast<char>(value));
        } else {
          scratch_.push_back(c);
        }
    }
  }
  field.text = std::string_view(scratch_).substr(start);
}

void CopyBlockReader::take_header() {
  header_pending_ = false;
  // Of a file that is no text it may be all that there is.
  try {
    for (const Field& field : fields_) check_utf8(field.text);
  } catch (const SqlError& error) { stop(error, 1); }
  if (layout_.format.header != CopyFormat::Header::kMatch) return;
  if (fields_.size() != layout_.targets.size()) {
    stop(sql_error(sqlstate::kBadCopyFileFormat, "wrong number of fields in header line: got {}, expected {}",
                   fields_.size(), layout_.targets.size()),
         1);
  }
  for (size_t i = 0; i < fields_.size(); i++) {
    const std::string& expected = schema_->columns[layout_.targets[i].column].name;
    if (fields_[i].text == expected) continue;
    stop(sql_error(sqlstate::kBadCopyFileFormat,
                   "column name mismatch in header line field {}: got \"{}\", expected \"{}\"", i + 1,
                   fields_[i].text, expected),
         1);
  }
}

void CopyBlockReader::take_row() {
  size_t target = 0;
  const Field* field = nullptr;
  try {
    if (fields_.size() != layout_.targets.size()) {
      bool fewer = fields_.size() < layout_.targets.size();
      if (fewer && fields_.size() == 1 && fields_[0].text.empty() && !fields_[0].quoted &&
          layout_.targets.size() > 1 && layout_.format.kind == CopyFormat::Kind::kCsv) {
        throw sql_error(sqlstate::kBadCopyFileFormat, "missing data for column \"{}\"",
                        schema_->columns[layout_.targets[1].column].name);
      }
      if (fewer)
        throw sql_error(sqlstate::kBadCopyFileFormat, "missing data for column \"{}\"",
                        schema_->columns[layout_.targets[fields_.size()].column].name);
      throw SqlError(sqlstate::kBadCopyFileFormat, "extra data after last expected column");
    }
    bool csv = layout_.format.kind == CopyFormat::Kind::kCsv;
    for (target = 0; target < layout_.targets.size(); target++) {
      const Target& t = layout_.targets[target];
      field = &fields_[target];
      bool is_null = field->is_null;
      if (csv)
        is_null = field->quoted ? t.force_null && field->text == layout_.format.null
                                : !t.force_not_null && field->text == layout_.format.null;
      nulls_[target] = is_null;
      if (is_null) {
        if (t.not_null) {
          throw sql_error(sqlstate::kNotNullViolation,
                          "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                          schema_->columns[t.column].name, schema_->name);
        }
        continue;
      }
      try {
        convert(t, field->text, elements_[target]);
      } catch (const SqlError&) {
        if (layout_.format.on_error != CopyFormat::OnError::kSetNull || t.not_null) throw;
        nulls_[target] = true;
        count_bad_value(target);
      }
    }
  } catch (SqlError& error) {
    reject(std::move(error), target, field);
    return;
  }
  append_converted();
}

// Leaves the row out, or stops.
void CopyBlockReader::reject(SqlError error, size_t target, const Field* field) {
  std::string where;
  if (field && target < layout_.targets.size()) {
    const std::string_view shown = utf8_substring(field->text, 0, kShownCharacters);
    where = fmt::format(", column {}: \"{}{}\"", schema_->columns[layout_.targets[target].column].name, shown,
                        shown.size() < field->text.size() ? "..." : "");
  }
  arena_.reset();
  if (layout_.format.on_error == CopyFormat::OnError::kStop) stop(std::move(error), line_, std::move(where));
  ++block_->rejected;
  if (field && target < layout_.targets.size()) count_bad_value(target);
  const std::optional<uint64_t>& limit = layout_.format.reject_limit;
  if (limit && block_->rejects.size() <= *limit) {
    block_->rejects.push_back({std::move(error), line_, std::move(where)});
  }
}

void CopyBlockReader::count_bad_value(size_t target) {
  block_->bad_values.resize(layout_.targets.size());
  ++block_->bad_values[target];
}

void CopyBlockReader::convert(const Target& t, std::string_view text, Element& element) {
  const char *begin = text.data(), *end = begin + text.size();
  switch (t.conversion) {
    case CopyLayout::Conversion::kInt16: {
      int16_t v;
      if (!parse_int16(begin, end, &v)) v = int16_from_text(text);
      return put(element, v);
    }
    case CopyLayout::Conversion::kInt32: {
      int32_t v;
      if (!parse_int32(begin, end, &v)) v = int32_from_text(text);
      return put(element, v);
    }
    case CopyLayout::Conversion::kInt64: {
      int64_t v;
      if (!parse_int64(begin, end, &v)) v = int64_from_text(text);
      return put(element, v);
    }
    case CopyLayout::Conversion::kFloat: {
      float v;
      if (!parse_float(begin, end, &v)) v = float_from_text(text);
      return put(element, v);
    }
    case CopyLayout::Conversion::kDouble: {
      double v;
      if (!parse_double(begin, end, &v)) v = double_from_text(text);
      return put(element, v);
    }
    case CopyLayout::Conversion::kTimestamp: {
      int64_t v;
      if (parse_timestamp_fast(begin, end, ZoneSuffix::kApply, &v)) return put(element, v);
      break;
    }
    case CopyLayout::Conversion::kDate: {
      int32_t v;
      if (parse_date_fast(begin, end, &v)) return put(element, v);
      break;
    }
    case CopyLayout::Conversion::kSymbol:
    case CopyLayout::Conversion::kString:
      if (!is_valid_utf8(text)) check_utf8(text);
      return put(element, text);
    case CopyLayout::Conversion::kGeneric:
      if (physical_type(t.type) == PhysicalType::kString && t.type.id != TypeId::kBytea) check_utf8(text);
      break;
  }
  parse_text(t.type, text, element.bytes.data(), arena_, layout_.text);
}

void CopyBlockReader::append_converted() {
  ColumnBatch& batch = *block_->rows;
  for (size_t i = 0; i < layout_.targets.size(); i++) {
    BatchColumn& column = batch.column(layout_.targets[i].column);
    if (nulls_[i]) {
      column.append_null();
    } else if (physical_type(layout_.targets[i].type) == PhysicalType::kString) {
      std::string_view text;
      std::memcpy(&text, elements_[i].bytes.data(), sizeof(text));
      column.append_string(text);
    } else {
      column.append_raw(elements_[i].bytes.data());
    }
  }
  for (const auto& [column, value] : layout_.defaults) batch.column(column).append_value(value);
  if (arena_.bytes() > 0) arena_.reset();
}

}  // namespace idem
