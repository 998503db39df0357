#include "query/line_target.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "common/error.h"
#include "common/value_text.h"
#include "parser/parser.h"
#include "query/background_task.h"
#include "query/expression_evaluator.h"
#include "query/insert_plan.h"
#include "query/session_state.h"

namespace idem {

namespace {

constexpr uint32_t kInsertedRows = 65'536;

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

LineTarget::LineTarget(SessionState& session, BackgroundTask& inserts, std::string table)
    : session_(session), inserts_(inserts), table_(std::move(table)) {
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
  names_.clear();
  shape_ = 0;
  batch_.emplace(schema_);
}

// What lines with these names have in common. False if they do not fit, and why.
bool LineTarget::follow_shape(const LinePoint& point, std::string* error) {
  shape_ = 0;
  if (!find_columns(point) && !add_missing_columns(point, error)) return false;
  std::vector<bool> is_given(schema_->columns.size());
  places_.clear();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const size_t tags = point.tags.size();
    const std::string_view name = i < tags ? point.tags[i].name : point.fields[i - tags].name;
    const auto column = static_cast<size_t>(columns_[i]);
    if (columns_[i] == schema_->timestamp_column) {
      *error = fmt::format("\"{}\" is the designated timestamp, which stands at the end of a line", name);
      return false;
    }
    if (is_given[column]) {
      *error = fmt::format("\"{}\" is given twice", name);
      return false;
    }
    is_given[column] = true;
    const SqlType type = schema_->columns[column].type;
    places_.push_back({column, type.id == TypeId::kSymbol || physical_type(type) == PhysicalType::kString});
  }
  missing_.clear();
  for (size_t i = 0; i < is_given.size(); ++i) {
    if (is_given[i] || static_cast<int>(i) == schema_->timestamp_column) continue;
    if (schema_->columns[i].not_null && default_values_->last(i).is_null()) {
      *error = fmt::format("column \"{}\" must have a value", schema_->columns[i].name);
      return false;
    }
    missing_.push_back(i);
  }
  shape_ = point.shape;
  return true;
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
  if (place < names_.size() && names_[place].first == name) return names_[place].second;
  int column = schema_->find_column(name);
  if (column < 0) column = schema_->find_column(folded_identifier(name));
  if (column >= 0) {
    if (names_.size() <= place) names_.resize(place + 1);
    names_[place] = {std::string(name), column};
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
  inserts_.wait();
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
  if (point.shape != shape_ && !follow_shape(point, error)) return false;
  if (micros && !schema_->has_timestamp()) {
    *error = fmt::format("table \"{}\" has no designated timestamp for the time of the line", table_);
    return false;
  }
  Place* place = places_.data();
  LineValue tag_value;
  tag_value.kind = LineValue::Kind::kString;
  for (const LineTag& tag : point.tags) {
    tag_value.text = tag.value;
    if (!convert(tag_value, place++, error)) return false;
  }
  for (const LineField& field : point.fields) {
    if (!convert(field.value, place++, error)) return false;
  }
  append_row(micros.value_or(now_micros));
  return true;
}

bool LineTarget::convert(const LineValue& value, Place* place, std::string* error) {
  using Kind = LineValue::Kind;
  const ColumnSchema& column = schema_->columns[place->column];
  const bool is_integer =
      value.kind == Kind::kInteger || (value.kind == Kind::kUnsigned && value.unsigned_integer <= INT64_MAX);
  const int64_t integer =
      value.kind == Kind::kInteger ? value.integer : static_cast<int64_t>(value.unsigned_integer);
  bool fits = true;
  switch (column.type.id) {
    case TypeId::kDouble:
      if (value.kind == Kind::kFloat) return store(value.number, place->element);
      if (is_integer) return store(static_cast<double>(integer), place->element);
      break;
    case TypeId::kReal:
      if (value.kind == Kind::kFloat) return store(static_cast<float>(value.number), place->element);
      if (is_integer) return store(static_cast<float>(integer), place->element);
      break;
    case TypeId::kBigInt:
      if (is_integer) return store(integer, place->element);
      fits = value.kind != Kind::kUnsigned;
      break;
    case TypeId::kInteger:
      if (is_integer && store_in_range<int32_t>(integer, place->element)) return true;
      fits = !is_integer;
      break;
    case TypeId::kSmallInt:
      if (is_integer && store_in_range<int16_t>(integer, place->element)) return true;
      fits = !is_integer;
      break;
    case TypeId::kBoolean:
      if (value.kind == Kind::kBoolean) return store(static_cast<uint8_t>(value.boolean), place->element);
      break;
    case TypeId::kDecimal:
      if (value.kind == Kind::kFloat || value.kind == Kind::kInteger || value.kind == Kind::kUnsigned)
        return convert_by_text(column, value.text, place, error);
      break;
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      if (value.kind == Kind::kTimestamp || is_integer)
        return store(value.kind == Kind::kTimestamp ? value.integer : integer, place->element);
      if (value.kind == Kind::kString) return convert_by_text(column, value.text, place, error);
      break;
    case TypeId::kSymbol:
    case TypeId::kText:
    case TypeId::kVarchar:
      if (value.kind != Kind::kString) break;
      if (column.type.modifier >= 0) return convert_by_text(column, value.text, place, error);
      place->text = value.text;
      return true;
    default:
      if (value.kind == Kind::kString) return convert_by_text(column, value.text, place, error);
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

bool LineTarget::convert_by_text(const ColumnSchema& column, std::string_view text, Place* place,
                                 std::string* error) {
  try {
    parse_text(column.type, text, place->element, arena_, {});
    if (physical_type(column.type) == PhysicalType::kString)
      std::memcpy(&place->text, place->element, sizeof place->text);
    return true;
  } catch (const SqlError& failure) {
    *error = fmt::format("{}, column \"{}\"", failure.message(), column.name);
    return false;
  }
}

void LineTarget::append_row(int64_t micros) {
  for (const Place& place : places_) {
    BatchColumn& column = batch_->column(place.column);
    if (place.is_text) column.append_string(place.text);
    else column.append_raw(place.element);
  }
  for (const size_t i : missing_) batch_->column(i).append_value(default_values_->next(i));
  if (schema_->has_timestamp()) batch_->column(static_cast<size_t>(schema_->timestamp_column)).append(micros);
  if (batch_->rows() >= kInsertedRows) flush();
}

void LineTarget::flush() {
  arena_ = StringArena();
  if (batch_->rows() == 0) return;
  session_.cancel.check();
  // Of a full batch it is likely that more lines come.
  const bool goes_on = batch_->rows() >= kInsertedRows;
  inserts_.wait();
  Transaction& transaction = session_.write_transaction("INSERT");
  if (goes_on) {
    const auto rows = std::make_shared<ColumnBatch>(std::move(*batch_));
    inserts_.run([&transaction, rows, table = schema_->id] { transaction.insert(table, std::move(*rows)); });
  } else {
    transaction.insert(schema_->id, std::move(*batch_));
  }
  batch_.emplace(schema_);
  if (goes_on) batch_->reserve(kInsertedRows);
}

}  // namespace idem
