#include "query/virtual_rows.h"

#include <cassert>

#include "common/array_value.h"

namespace idem {

namespace {

// One column of a definition: "relname name".
SqlType type_of_word(std::string_view word) {
  bool array = word.starts_with('_');
  if (array) word.remove_prefix(1);
  if (word == "char") word = "\"char\"";
  return resolve_type_name(word, nullptr, 0, array);
}

std::vector<PlanColumn> parse_columns(std::string_view text) {
  std::vector<PlanColumn> columns;
  while (!text.empty()) {
    size_t comma = std::min(text.find(", "), text.size());
    std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 2, text.size()));
    size_t space = item.find(' ');
    assert(space != item.npos);
    columns.push_back({std::string(item.substr(0, space)), type_of_word(item.substr(space + 1))});
  }
  return columns;
}

void append_cell(BatchColumn& column, const Cell& cell) {
  PhysicalType physical = physical_type(column.type());
  if (std::holds_alternative<std::nullptr_t>(cell)) return column.append_null();
  if (physical == PhysicalType::kString) return column.append_string(std::get<std::string>(cell));
  if (const auto* flag = std::get_if<bool>(&cell)) return column.append<uint8_t>(*flag ? 1 : 0);
  if (const auto* real = std::get_if<double>(&cell)) {
    if (physical == PhysicalType::kFloat) return column.append<float>(static_cast<float>(*real));
    return column.append<double>(*real);
  }
  int64_t number = std::get<int64_t>(cell);
  switch (physical) {
    case PhysicalType::kInt16: return column.append<int16_t>(static_cast<int16_t>(number));
    case PhysicalType::kInt32: return column.append<int32_t>(static_cast<int32_t>(number));
    case PhysicalType::kFloat: return column.append<float>(static_cast<float>(number));
    case PhysicalType::kDouble: return column.append<double>(static_cast<double>(number));
    default: return column.append<int64_t>(number);
  }
}

}  // namespace

RowEmitter::RowEmitter(const std::vector<PlanColumn>& columns, const std::function<void(DataChunk&)>& emit)
    : columns_(columns), emit_(emit) {}

void RowEmitter::row(std::vector<Cell> cells) {
  assert(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
  if (rows_.size() == kVectorSize) flush();
}

void RowEmitter::flush() {
  if (rows_.empty()) return;
  DataChunk chunk;
  uint32_t count = static_cast<uint32_t>(rows_.size());
  for (size_t c = 0; c < columns_.size(); c++) {
    auto column = std::make_shared<BatchColumn>(columns_[c].type, nullptr);
    for (const auto& row : rows_) append_cell(*column, row[c]);
    Vector vector = column->slice(0, count);
    vector.owner = std::move(column);
    chunk.columns.push_back(std::move(vector));
  }
  chunk.set_size(count);
  rows_.clear();
  emit_(chunk);
}

GeneratedRelation::GeneratedRelation(std::string_view columns, Generate generate)
    : columns_(parse_columns(columns)), generate_(std::move(generate)) {}

void GeneratedRelation::produce(ExecutionContext& context, const std::vector<Value>& arguments,
                                const std::function<void(DataChunk&)>& emit) const {
  RowEmitter rows(columns_, emit);
  if (generate_) generate_(context, arguments, rows);
  rows.flush();
}

void RelationSet::add(std::string_view name, std::string_view columns, GeneratedRelation::Generate generate) {
  relations_.emplace(name, std::make_shared<GeneratedRelation>(columns, std::move(generate)));
}

void RelationSet::add_empty(std::string_view name, std::string_view columns) { add(name, columns, nullptr); }

std::shared_ptr<const VirtualTable> RelationSet::find(std::string_view name) const {
  auto it = relations_.find(name);
  return it == relations_.end() ? nullptr : it->second;
}

std::vector<std::string> RelationSet::names() const {
  std::vector<std::string> all;
  for (const auto& [name, relation] : relations_) all.push_back(name);
  return all;
}

std::string text_array(const std::vector<std::string>& elements) {
  ArrayBuilder builder(TypeId::kText);
  for (const std::string& e : elements) builder.append_string(e);
  return builder.finish();
}

}  // namespace idem
