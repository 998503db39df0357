#include "query/line_target.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "common/error.h"
#include "common/value_text.h"
#include "parser/parser.h"
#include "query/expression_evaluator.h"
#include "query/insert_plan.h"
#include "query/session_state.h"

namespace idem {

namespace {

constexpr uint32_t kBatchRows = 65'536;

// The upsert keys are the timestamp and all symbols, as in tables that line protocol created.
bool is_keyed_by_tags(const TableSchema& schema) {
  if (!schema.has_keys() || schema.version_column >= 0) return false;
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const bool expected =
        static_cast<int>(i) == schema.timestamp_column || schema.columns[i].type.id == TypeId::kSymbol;
    const bool is_key =
        std::find(schema.upsert_keys.begin(), schema.upsert_keys.end(), i) != schema.upsert_keys.end();
    if (expected != is_key) return false;
  }
  return true;
}

template <class T>
bool store(T value, unsigned char* element) {
  std::memcpy(element, &value, sizeof value);
  return true;
}

template <class T>
bool store_in_range(int64_t value, unsigned char* element) {
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) return false;
  return store(static_cast<T>(value), element);
}

}  // namespace

std::string quoted_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string folded_identifier(std::string_view name) {
  std::string folded(name);
  for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return folded;
}

void run_command(SessionState& session, const std::string& sql) {
  const parser::ParsedStatement parsed = parser::parse_one(sql);
  StatementInput input;
  input.statement = parsed.statement.get();
  input.text = sql;
  session.make_portal(std::move(input))->run();
}

bool is_lost_race(const SqlError& error) {
  static constexpr std::string_view kStates[] = {sqlstate::kSerializationFailure, sqlstate::kDuplicateTable,
                                                 sqlstate::kDuplicateColumn, sqlstate::kUndefinedTable};
  return std::find(std::begin(kStates), std::end(kStates), error.sqlstate()) != std::end(kStates);
}

std::string tag_definition(std::string_view name) { return quoted_identifier(name) + " SYMBOL"; }

std::string field_definition(const LineField& field) {
  const auto type = [&]() -> std::string_view {
    switch (field.value.kind) {
      case LineValue::Kind::kFloat: return "DOUBLE";
      case LineValue::Kind::kInteger: return "BIGINT";
      case LineValue::Kind::kUnsigned: return "DECIMAL(20,0)";
      case LineValue::Kind::kBoolean: return "BOOLEAN";
      case LineValue::Kind::kString: return "VARCHAR";
      case LineValue::Kind::kTimestamp: return "TIMESTAMP";
    }
    return "VARCHAR";
  };
  return fmt::format("{} {} KEEP NON NULL", quoted_identifier(field.name), type());
}

LineTarget::LineTarget(SessionState& session, std::string table)
    : session_(session), table_(std::move(table)) {
  bind();
}

void LineTarget::bind() {
  session_.begin_write_statement();
  ast::ObjectName name;
  name.name = {table_, 0, true};
  schema_ = session_.writable_table(name, static_cast<PrivilegeSet>(Privilege::kInsert))->schema;
  default_values_.reset();
  defaults_.clear();
  run_ = session_.start_run();
  default_state_ = {&run_->context, {}};
  for (const ColumnSchema& column : schema_->columns) defaults_.push_back(bind_default(column, session_));
  default_values_.emplace(defaults_, default_state_);
  cells_.assign(schema_->columns.size(), Cell());
  needed_.clear();
  for (size_t i = 0; i < cells_.size(); ++i) {
    const ColumnSchema& column = schema_->columns[i];
    cells_[i].is_text =
        column.type.id == TypeId::kSymbol || physical_type(column.type) == PhysicalType::kString;
    if (column.not_null && default_values_->last(i).is_null()) needed_.push_back(i);
  }
  places_.clear();
  batch_.emplace(schema_);
}

// Of all names of the line. False if one has none.
bool LineTarget::find_columns(const LinePoint& point) {
  columns_.clear();
  bool found_all = true;
  const auto find = [&](std::string_view name) {
    columns_.push_back(column_of(name, columns_.size()));
    found_all &= columns_.back() >= 0;
  };
  for (const LineTag& tag : point.tags) find(tag.name);
  for (const LineField& field : point.fields) find(field.name);
  return found_all;
}

// Senders give the same names in the same order, line after line.
int LineTarget::column_of(std::string_view name, size_t place) {
  if (place < places_.size() && places_[place].first == name) return places_[place].second;
  int column = schema_->find_column(name);
  if (column < 0) column = schema_->find_column(folded_identifier(name));
  if (column >= 0) {
    if (places_.size() <= place) places_.resize(place + 1);
    places_[place] = {std::string(name), column};
  }
  return column;
}

bool LineTarget::add_missing_columns(const LinePoint& point, std::string* error) {
  std::vector<std::string_view> added;
  std::string definitions, keys;
  const bool tags_are_keys = is_keyed_by_tags(*schema_);
  const auto add = [&](std::string_view name, const std::string& definition) {
    if (std::find(added.begin(), added.end(), name) != added.end()) return;
    added.push_back(name);
    definitions += fmt::format("{}ADD COLUMN {}", definitions.empty() ? "" : ", ", definition);
  };
  for (size_t i = 0; i < point.tags.size(); ++i) {
    if (columns_[i] >= 0) continue;
    add(point.tags[i].name, tag_definition(point.tags[i].name));
    keys += ", " + quoted_identifier(point.tags[i].name);
  }
  for (size_t i = 0; i < point.fields.size(); ++i) {
    if (columns_[point.tags.size() + i] < 0) add(point.fields[i].name, field_definition(point.fields[i]));
  }
  flush();
  const std::string target = quoted_identifier(schema_->schema_name) + "." + quoted_identifier(schema_->name);
  std::string key_list;
  for (const uint32_t key : schema_->upsert_keys)
    key_list += (key_list.empty() ? "" : ", ") + quoted_identifier(schema_->columns[key].name);
  try {
    run_command(session_, fmt::format("ALTER TABLE {} {}", target, definitions));
    if (tags_are_keys && !keys.empty())
      run_command(session_,
                  fmt::format("ALTER TABLE {} DEDUP ENABLE UPSERT KEYS({}{})", target, key_list, keys));
  } catch (const SqlError& failure) {
    if (is_lost_race(failure)) throw;
    // A name that no column can have, most likely. Nothing has been changed: such statements check first.
    *error = failure.message();
    bind();
    return false;
  }
  bind();
  return find_columns(point);
}

bool LineTarget::append(const LinePoint& point, std::optional<int64_t> micros, int64_t now_micros,
                        std::string* error) {
  if (!find_columns(point) && !add_missing_columns(point, error)) return false;
  ++line_;
  const auto cell_for = [&](std::string_view name, size_t place) -> Cell* {
    const int column = columns_[place];
    if (column == schema_->timestamp_column) {
      *error = fmt::format("\"{}\" is the designated timestamp, which stands at the end of a line", name);
      return nullptr;
    }
    Cell& cell = cells_[static_cast<size_t>(column)];
    if (cell.line == line_) {
      *error = fmt::format("\"{}\" is given twice", name);
      return nullptr;
    }
    cell.line = line_;
    return &cell;
  };
  LineValue tag_value;
  tag_value.kind = LineValue::Kind::kString;
  for (size_t i = 0; i < point.tags.size(); ++i) {
    Cell* const cell = cell_for(point.tags[i].name, i);
    tag_value.text = point.tags[i].value;
    if (!cell ||
        !convert(schema_->columns[static_cast<size_t>(cell - cells_.data())], tag_value, cell, error))
      return false;
  }
  for (size_t i = 0; i < point.fields.size(); ++i) {
    Cell* const cell = cell_for(point.fields[i].name, point.tags.size() + i);
    if (!cell || !convert(schema_->columns[static_cast<size_t>(cell - cells_.data())], point.fields[i].value,
                          cell, error))
      return false;
  }
  if (schema_->has_timestamp()) {
    Cell& cell = cells_[static_cast<size_t>(schema_->timestamp_column)];
    cell.line = line_;
    store(micros.value_or(now_micros), cell.element);
  } else if (micros) {
    *error = fmt::format("table \"{}\" has no designated timestamp for the time of the line", table_);
    return false;
  }
  for (const size_t i : needed_) {
    if (cells_[i].line == line_) continue;
    *error = fmt::format("column \"{}\" must have a value", schema_->columns[i].name);
    return false;
  }
  append_row();
  return true;
}

bool LineTarget::convert(const ColumnSchema& column, const LineValue& value, Cell* cell, std::string* error) {
  using Kind = LineValue::Kind;
  const bool is_integer =
      value.kind == Kind::kInteger || (value.kind == Kind::kUnsigned && value.unsigned_integer <= INT64_MAX);
  const int64_t integer =
      value.kind == Kind::kInteger ? value.integer : static_cast<int64_t>(value.unsigned_integer);
  bool fits = true;
  switch (column.type.id) {
    case TypeId::kDouble:
      if (value.kind == Kind::kFloat) return store(value.number, cell->element);
      if (is_integer) return store(static_cast<double>(integer), cell->element);
      break;
    case TypeId::kReal:
      if (value.kind == Kind::kFloat) return store(static_cast<float>(value.number), cell->element);
      if (is_integer) return store(static_cast<float>(integer), cell->element);
      break;
    case TypeId::kBigInt:
      if (is_integer) return store(integer, cell->element);
      fits = value.kind != Kind::kUnsigned;
      break;
    case TypeId::kInteger:
      if (is_integer && store_in_range<int32_t>(integer, cell->element)) return true;
      fits = !is_integer;
      break;
    case TypeId::kSmallInt:
      if (is_integer && store_in_range<int16_t>(integer, cell->element)) return true;
      fits = !is_integer;
      break;
    case TypeId::kBoolean:
      if (value.kind == Kind::kBoolean) return store(static_cast<uint8_t>(value.boolean), cell->element);
      break;
    case TypeId::kDecimal:
      if (value.kind == Kind::kFloat || value.kind == Kind::kInteger || value.kind == Kind::kUnsigned)
        return convert_by_text(column, value.text, cell, error);
      break;
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      if (value.kind == Kind::kTimestamp || is_integer)
        return store(value.kind == Kind::kTimestamp ? value.integer : integer, cell->element);
      if (value.kind == Kind::kString) return convert_by_text(column, value.text, cell, error);
      break;
    case TypeId::kSymbol:
    case TypeId::kText:
    case TypeId::kVarchar:
      if (value.kind != Kind::kString) break;
      if (column.type.modifier >= 0) return convert_by_text(column, value.text, cell, error);
      cell->text = value.text;
      return true;
    default:
      if (value.kind == Kind::kString) return convert_by_text(column, value.text, cell, error);
      break;
  }
  if (!fits) {
    *error = fmt::format("value {} is out of range for column \"{}\" of type {}", value.text, column.name,
                         dialect_type_name(column.type));
  } else {
    *error = fmt::format("column \"{}\" of table \"{}\" is of type {}, the value is {} {}", column.name,
                         table_, dialect_type_name(column.type),
                         value.kind == Kind::kInteger || value.kind == Kind::kUnsigned ? "an" : "a",
                         line_value_kind_name(value.kind));
  }
  return false;
}

bool LineTarget::convert_by_text(const ColumnSchema& column, std::string_view text, Cell* cell,
                                 std::string* error) {
  try {
    parse_text(column.type, text, cell->element, arena_, {});
    if (physical_type(column.type) == PhysicalType::kString)
      std::memcpy(&cell->text, cell->element, sizeof cell->text);
    return true;
  } catch (const SqlError& failure) {
    *error = fmt::format("{}, column \"{}\"", failure.message(), column.name);
    return false;
  }
}

void LineTarget::append_row() {
  for (size_t i = 0; i < cells_.size(); ++i) {
    BatchColumn& column = batch_->column(i);
    const Cell& cell = cells_[i];
    if (cell.line != line_) {
      column.append_value(default_values_->next(i));
    } else if (cell.is_text) {
      column.append_string(cell.text);
    } else {
      column.append_raw(cell.element);
    }
  }
  if (batch_->rows() >= kBatchRows) flush();
}

void LineTarget::flush() {
  arena_ = StringArena();
  if (batch_->rows() == 0) return;
  session_.cancel.check();
  const bool was_full = batch_->rows() >= kBatchRows;
  session_.write_transaction("INSERT").insert(schema_->id, std::move(*batch_));
  batch_.emplace(schema_);
  // Many more will come; before, growing is cheaper.
  if (was_full) batch_->reserve(kBatchRows);
}

}  // namespace idem
