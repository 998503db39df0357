#include "query/returning.h"

#include <algorithm>

namespace idem {

std::vector<ScopeTable> table_scope(const TableSchema& schema, const std::string& alias) {
  ScopeTable table;
  table.alias = alias.empty() ? schema.name : alias;
  for (uint32_t i = 0; i < schema.columns.size(); i++) {
    table.columns.push_back({schema.columns[i].name, schema.columns[i].type, schema.id, i + 1});
  }
  return {std::move(table)};
}

namespace {

// The values in memory of their own.
Vector copy_values(const Vector& value, Selection rows) {
  BatchColumn column(value.type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : value.type, nullptr);
  column.append_vector(flatten(value, rows.count, rows, true), rows);
  auto kept = std::make_shared<BatchColumn>(std::move(column));
  Vector copy = kept->slice(0, rows.count);
  copy.owner = std::move(kept);
  return copy;
}

}  // namespace

Returning::Returning(const std::vector<ast::SelectItem>& items, const Source& source,
                     const SessionState& session, ParameterTypes& parameters) {
  for (BoundItem& item :
       bind_returning(items, source.tables, session, parameters, &slot_count_, source.with)) {
    columns_.push_back(std::move(item.column));
    expressions_.push_back(std::move(item.expression));
    evaluators_.push_back(std::make_unique<ExpressionEvaluator>(*expressions_.back()));
  }
}

void Returning::add(const ColumnBatch& rows, EvaluationState& state, const std::vector<BatchColumn>& others) {
  state.slots.resize(std::max<size_t>(state.slots.size(), slot_count_));
  for (uint32_t first = 0; first < rows.rows(); first += kVectorSize) {
    uint32_t count = std::min(kVectorSize, rows.rows() - first);
    DataChunk input;
    for (size_t c = 0; c < rows.column_count(); c++)
      input.columns.push_back(rows.column(c).slice(first, count));
    for (const BatchColumn& other : others) input.columns.push_back(other.slice(first, count));
    input.set_size(count);
    DataChunk output;
    for (auto& evaluator : evaluators_) {
      // The batch goes on to the transaction: results must not point into it.
      Vector value;
      evaluator->evaluate(state, input, input.selection, &value);
      output.columns.push_back(copy_values(value, input.selection));
    }
    output.set_size(count);
    chunks_.push_back(std::move(output));
  }
}

}  // namespace idem
