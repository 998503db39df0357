#pragma once

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "common/calendar.h"
#include "common/error.h"
#include "parser/parser.h"
#include "query/binder.h"
#include "query/explain_format.h"
#include "storage/memory_row_group.h"
#include "storage/partition_builder.h"
#include "tests/unit/query/catalog_stubs.h"

namespace idem::test {

inline SqlType stub_type(const std::string& name) {
  static const std::map<std::string, SqlType> types = {
      {"oid", TypeId::kOid},
      {"name", TypeId::kName},
      {"char", TypeId::kInternalChar},
      {"bool", TypeId::kBoolean},
      {"int2", TypeId::kSmallInt},
      {"int4", TypeId::kInteger},
      {"int8", TypeId::kBigInt},
      {"float4", TypeId::kReal},
      {"text", TypeId::kText},
      {"xid", TypeId::kBigInt},
      {"regproc", TypeId::kRegproc},
      {"timestamptz", TypeId::kTimestampTz},
      {"bytea", TypeId::kBytea},
      {"pg_lsn", TypeId::kText},
      {"pg_node_tree", TypeId::kText},
      {"int2vector", TypeId::kInt2Vector},
      {"oidvector", SqlType::array_of(TypeId::kOid)},
      {"_oid", SqlType::array_of(TypeId::kOid)},
      {"_int2", SqlType::array_of(TypeId::kSmallInt)},
      {"_name", SqlType::array_of(TypeId::kName)},
      {"_char", SqlType::array_of(TypeId::kInternalChar)},
  };
  const auto found = types.find(name);
  return found == types.end() ? SqlType::array_of(TypeId::kText) : found->second;
}

class StubTable final : public VirtualTable {
 public:
  explicit StubTable(const std::string& definition) {
    std::istringstream words(definition);
    for (std::string name, type; words >> name >> type;) columns_.push_back({name, stub_type(type)});
  }
  const std::vector<PlanColumn>& columns() const override { return columns_; }
  void produce(ExecutionContext&, const std::vector<Value>&,
               const std::function<void(DataChunk&)>&) const override {}

 private:
  std::vector<PlanColumn> columns_;
};

class StubSession final : public SessionInfo {
 public:
  std::string setting(std::string_view name, bool) const override { return name == "timezone" ? "UTC" : ""; }
  void set_setting(std::string_view, std::string_view, bool) override {}
  std::string user() const override { return "admin"; }
  std::string session_user() const override { return "admin"; }
  std::string database() const override { return "idem"; }
  std::vector<std::string> search_path(bool with_implicit) const override {
    return with_implicit ? std::vector<std::string>{"pg_catalog", "public"}
                         : std::vector<std::string>{"public"};
  }
  int32_t backend_pid() const override { return 1; }
  std::vector<SettingRow> all_settings() const override { return {}; }
};

// A small catalog: trades (three days of January 2024, 1,000 rows each), quotes, weekly tables with a view
// over them, and tables without timestamp.
class BinderTest : public ::testing::Test, public NameResolver {
 protected:
  BinderTest() {
    auto catalog = std::make_shared<Catalog>();
    catalog_ = catalog;
    snapshot_.catalog = catalog;
    const std::vector<std::pair<std::string, SqlType>> trade_columns = {{"ts", TypeId::kTimestamp},
                                                                        {"sym", TypeId::kSymbol},
                                                                        {"price", TypeId::kDouble},
                                                                        {"qty", TypeId::kBigInt},
                                                                        {"note", TypeId::kVarchar}};
    add_table("trades", trade_columns, 0, 3, 1000);
    add_table("quotes",
              {{"ts", TypeId::kTimestamp},
               {"sym", TypeId::kSymbol},
               {"bid", TypeId::kDouble},
               {"ask", TypeId::kDouble}},
              0, 2, 500);
    add_table("week1", trade_columns, 0, 1, 100, 0);
    add_table("week2", trade_columns, 0, 1, 100, 7);
    add_table("week3", trade_columns, 0, 1, 100, 14);
    add_table("items",
              {{"id", TypeId::kInteger},
               {"name", TypeId::kVarchar},
               {"amount", SqlType::decimal(10, 2)},
               {"day", TypeId::kDate},
               {"small", TypeId::kSmallInt},
               {"ok", TypeId::kBoolean}},
              -1, 1, 50);
    add_table("Mixed", {{"Id", TypeId::kInteger}, {"plain", TypeId::kInteger}}, -1, 1, 5);
    add_view("v", "SELECT ts, sym, price * 2 AS double_price FROM trades WHERE price > 10");
    add_view("weeks", "SELECT * FROM week1 UNION ALL SELECT * FROM week2 UNION ALL SELECT * FROM week3");
    add_view("broken", "SELECT missing FROM trades");
    add_view("endless", "SELECT * FROM endless");
    for (const auto& [name, definition] : catalog_stubs())
      stubs_[name] = std::make_shared<StubTable>(definition);
  }

  void add_table(const std::string& name, const std::vector<std::pair<std::string, SqlType>>& columns,
                 int timestamp, int days, uint32_t rows_a_day, int first_day = 0) {
    auto schema = std::make_shared<TableSchema>();
    schema->id = TableId{next_id_++};
    schema->schema_name = "public";
    schema->name = name;
    schema->timestamp_column = timestamp;
    schema->partition_by = timestamp >= 0 ? PartitionUnit::kDay : PartitionUnit::kNone;
    for (const auto& [column_name, type] : columns) {
      ColumnSchema column;
      column.id = ColumnId{static_cast<uint32_t>(schema->columns.size() + 1)};
      column.name = column_name;
      column.type = type;
      if (type.id == TypeId::kSymbol) column.dictionary = std::make_shared<SymbolDictionary>();
      schema->columns.push_back(std::move(column));
    }
    auto version = std::make_shared<TableVersion>();
    version->schema = schema;
    version->version = VersionNumber{3};
    const int64_t first = 19723 * kMicrosPerDay;  // 2024-01-01
    for (int day = 0; day < days; ++day) {
      ColumnBatch batch(schema);
      for (uint32_t i = 0; i < rows_a_day; ++i) {
        for (size_t c = 0; c < columns.size(); ++c) {
          BatchColumn& column = batch.column(c);
          if (static_cast<int>(c) == timestamp) {
            column.append<int64_t>(first + (first_day + day) * kMicrosPerDay +
                                   i * (kMicrosPerDay / rows_a_day));
          } else if (columns[c].second.id == TypeId::kSymbol) {
            column.append_string(i % 2 ? "AAPL" : "MSFT");
          } else {
            column.append_null();
          }
        }
      }
      auto partition = std::make_shared<Partition>();
      partition->start = timestamp >= 0 ? first + (first_day + day) * kMicrosPerDay : INT64_MIN;
      auto group = std::make_shared<MemoryRowGroup>(schema, rows_a_day, account_, MemoryRowGroup::kCommitted);
      group->claim(0, rows_a_day);
      for (size_t c = 0; c < columns.size(); ++c) group->write_batch(c, 0, batch.column(c), 0, rows_a_day);
      add_slice_to(partition.get(), *schema, {group, 0, rows_a_day}, std::nullopt, std::nullopt);
      version->partitions = version->partitions.push_back(partition);
      version->row_count += rows_a_day;
    }
    catalog_->tables.put({"public", name}, schema->id);
    tables_[name] = version;
  }

  void add_view(const std::string& name, const std::string& text) {
    auto view = std::make_shared<ViewSchema>();
    view->id = next_id_++;
    view->schema_name = "public";
    view->name = name;
    view->query_text = text;
    catalog_->views.put({"public", name}, view);
  }

  // -- NameResolver
  const Snapshot& snapshot() const override { return snapshot_; }
  std::shared_ptr<const TableVersion> find_table(const std::vector<std::string>& name) const override {
    if (name.size() > 1 && name[0] != "public") return nullptr;
    const auto found = tables_.find(name.back());
    return found == tables_.end() ? nullptr : found->second;
  }
  std::shared_ptr<const ViewSchema> find_view(const std::vector<std::string>& name) const override {
    const auto found = catalog_->views.find({name.size() > 1 ? name[0] : "public", name.back()});
    return found == catalog_->views.end() ? nullptr : found->second;
  }
  std::shared_ptr<const VirtualTable> find_virtual_table(
      const std::vector<std::string>& name) const override {
    std::string key = name.back();
    if (name.size() > 1 && name[0] == "information_schema") key = "information_schema." + key;
    if (name.size() > 1 && name[0] != "information_schema" && name[0] != "pg_catalog") return nullptr;
    const auto found = stubs_.find(key);
    return found == stubs_.end() ? nullptr : found->second;
  }
  std::shared_ptr<const VirtualTable> find_virtual_function(const std::string& name) const override {
    const auto found = stubs_.find(name + "()");
    return found == stubs_.end() ? nullptr : found->second;
  }
  SessionInfo& session() const override { return session_; }

  // -- what tests ask
  BoundQuery bind(const std::string& sql) {
    parameters_.types = declared_;
    return bind_query(*parser::parse_query(sql), *this, parameters_);
  }
  // Names and types of the output: "ts timestamp without time zone, count bigint".
  std::string columns(const std::string& sql) {
    query_ = bind(sql);
    std::string text;
    for (const PlanColumn& column : query_.plan->columns) {
      text += (text.empty() ? "" : ", ") + column.name + " " + format_type(column.type);
    }
    return text;
  }
  std::string names(const std::string& sql) {
    query_ = bind(sql);
    std::string text;
    for (const PlanColumn& column : query_.plan->columns) text += (text.empty() ? "" : ", ") + column.name;
    return text;
  }
  std::string types(const std::string& sql) {
    query_ = bind(sql);
    std::string text;
    for (const PlanColumn& column : query_.plan->columns)
      text += (text.empty() ? "" : ", ") + format_type(column.type);
    return text;
  }
  // The types of $1, $2 …
  std::string parameters(const std::string& sql) {
    bind(sql);
    std::string text;
    for (SqlType type : parameters_.types) text += (text.empty() ? "" : ", ") + format_type(type);
    return text;
  }
  // The plan, one line a node, without guesses of rows: they depend on constants that may be tuned.
  std::string plan(const std::string& sql) {
    std::string text;
    const BoundQuery query = bind(sql);
    const auto add = [&](const LogicalPlan& bound) {
      for (std::string line : explain_lines(explain(bound, false))) {
        const size_t guesses =
            line.rfind(line.find("  (cost=") != std::string::npos ? "  (cost=" : "  (rows=");
        if (guesses != std::string::npos) line.resize(guesses);
        text += "\n" + line;
      }
    };
    add(*query.plan);
    for (const auto& [slot, init] : query.init_plans) {
      text += "\nInitPlan $" + std::to_string(slot + 1);
      add(*init);
    }
    return text + "\n";
  }
  // "42703@8: column "x" does not exist (hint)"
  std::string error(const std::string& sql) {
    try {
      bind(sql);
      return "no error";
    } catch (const SqlError& e) {
      std::string text = e.sqlstate() + "@" + std::to_string(e.position().value_or(0)) + ": " + e.message();
      return e.hint().empty() ? text : text + " (" + e.hint() + ")";
    }
  }

  std::vector<SqlType> declared_;  // of parameters
  ParameterTypes parameters_;
  BoundQuery query_;  // kept while a test looks at its nodes
  std::shared_ptr<Catalog> catalog_;
  Snapshot snapshot_;
  std::map<std::string, std::shared_ptr<TableVersion>> tables_;
  std::map<std::string, std::shared_ptr<const VirtualTable>> stubs_;
  std::shared_ptr<std::atomic<uint64_t>> account_ = std::make_shared<std::atomic<uint64_t>>(0);
  uint32_t next_id_ = 1;
  mutable StubSession session_;
};

}  // namespace idem::test
