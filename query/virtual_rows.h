#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "query/logical_plan.h"
#include "storage/column_batch.h"

namespace idem {

// A value of a made-up row: NULL, or what fits the column's type (integers for every integer, date, time and oid type).
using Cell = std::variant<std::nullptr_t, bool, int64_t, double, std::string>;

inline int64_t oid(uint32_t number) { return number; }

// Collects rows of a virtual relation and hands them on in chunks.
class RowEmitter {
 public:
  RowEmitter(const std::vector<PlanColumn>& columns, const std::function<void(DataChunk&)>& emit);
  void row(std::vector<Cell> cells);  // one cell for each column
  void flush();

 private:
  const std::vector<PlanColumn>& columns_;
  const std::function<void(DataChunk&)>& emit_;
  std::vector<std::vector<Cell>> rows_;
};

// A relation given by its columns and a function that makes its rows from the snapshot.
class GeneratedRelation final : public VirtualTable {
 public:
  using Generate = std::function<void(ExecutionContext&, const std::vector<Value>& arguments, RowEmitter&)>;
  // Columns as "oid oid, relname name, relkind char": pg_type names, "char" for PostgreSQL's internal type, _text for arrays.
  GeneratedRelation(std::string_view columns, Generate generate);

  const std::vector<PlanColumn>& columns() const override { return columns_; }
  void produce(ExecutionContext& context, const std::vector<Value>& arguments,
               const std::function<void(DataChunk&)>& emit) const override;

 private:
  std::vector<PlanColumn> columns_;
  Generate generate_;
};

// Relations by name, as the files that define them register them.
class RelationSet {
 public:
  void add(std::string_view name, std::string_view columns, GeneratedRelation::Generate generate);
  void add_empty(std::string_view name, std::string_view columns);
  std::shared_ptr<const VirtualTable> find(std::string_view name) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, std::shared_ptr<const VirtualTable>, std::less<>> relations_;
};

void register_class_relations(
    RelationSet& catalog);  // pg_class, pg_attribute, pg_namespace, …: catalog_classes.cpp
void register_type_relations(RelationSet& catalog);  // pg_type, pg_range, pg_enum, …: catalog_types.cpp
void register_server_relations(
    RelationSet& catalog);  // pg_database, pg_roles, pg_settings, …: catalog_server.cpp
void register_empty_relations(RelationSet& catalog);         // what the server has none of: catalog_empty.cpp
void register_information_schema(RelationSet& information);  // information_schema.cpp
void register_introspection(RelationSet& functions);         // tables(), sessions(), …: introspection.cpp
void register_history(RelationSet& functions);  // table_history(), table_tags(): table_functions_history.cpp

// An array of text in the form of array_value.h, as a cell.
std::string text_array(const std::vector<std::string>& elements);

}  // namespace idem
