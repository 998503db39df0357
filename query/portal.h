#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "query/execution.h"
#include "query/session.h"

namespace idem {

// The rows [first, first + count) of a chunk's selection, without copying values.
DataChunk narrow(const DataChunk& chunk, uint32_t first, uint32_t count);

// Hands out chunks in pieces of at most max_rows rows.
class ChunkSplitter {
 public:
  // `produce` gives the next chunk, false at the end.
  explicit ChunkSplitter(std::function<bool(DataChunk*)> produce) : produce_(std::move(produce)) {}
  bool next(DataChunk* chunk, uint64_t max_rows);

 private:
  std::function<bool(DataChunk*)> produce_;
  DataChunk current_;
  uint32_t taken_ = 0;
};

// Rows of a running query. The stream is started at the first call of next().
class QueryPortal final : public Portal {
 public:
  QueryPortal(std::vector<PlanColumn> columns, std::function<std::unique_ptr<ResultStream>()> start,
              std::string verb = "SELECT");
  ~QueryPortal() override;
  Kind kind() const override { return Kind::kRows; }
  const std::vector<PlanColumn>& columns() const override { return columns_; }
  std::string tag() const override { return verb_ + " " + std::to_string(rows_); }
  bool next(DataChunk* chunk, uint64_t max_rows) override;

 private:
  std::vector<PlanColumn> columns_;
  std::function<std::unique_ptr<ResultStream>()> start_;
  std::unique_ptr<ResultStream> stream_;
  ChunkSplitter splitter_;
  std::string verb_;
  uint64_t rows_ = 0;
};

// Rows that a statement makes as a whole when it is run: SHOW, EXPLAIN, RETURNING, FETCH.
class RowsPortal final : public Portal {
 public:
  struct Result {
    std::deque<DataChunk> chunks;
    std::string tag;
  };
  RowsPortal(std::vector<PlanColumn> columns, std::function<Result()> make);
  Kind kind() const override { return Kind::kRows; }
  const std::vector<PlanColumn>& columns() const override { return columns_; }
  std::string tag() const override { return result_.tag; }
  bool next(DataChunk* chunk, uint64_t max_rows) override;

 private:
  std::vector<PlanColumn> columns_;
  std::function<Result()> make_;
  Result result_;
  ChunkSplitter splitter_;
};

// A statement without a result.
class CommandPortal final : public Portal {
 public:
  explicit CommandPortal(std::function<std::string()> execute) : execute_(std::move(execute)) {}
  Kind kind() const override { return Kind::kCommand; }
  const std::vector<PlanColumn>& columns() const override { return columns_; }
  std::string tag() const override { return *tag_; }
  void run() override { *tag_ = execute_(); }
  // To be changed by whoever runs the statement again in its place.
  const std::shared_ptr<std::string>& shared_tag() const { return tag_; }

 private:
  std::function<std::string()> execute_;
  std::vector<PlanColumn> columns_;
  std::shared_ptr<std::string> tag_ = std::make_shared<std::string>();
};

class EmptyPortal final : public Portal {
 public:
  Kind kind() const override { return Kind::kEmpty; }
  const std::vector<PlanColumn>& columns() const override { return columns_; }
  std::string tag() const override { return ""; }

 private:
  std::vector<PlanColumn> columns_;
};

// Collects rows of text, or of JSON, for SHOW and EXPLAIN.
class TextRows {
 public:
  explicit TextRows(const std::vector<std::string>& names, SqlType type = TypeId::kText);
  void add(const std::vector<std::string>& row);
  const std::vector<PlanColumn>& columns() const { return columns_; }
  RowsPortal::Result finish(std::string tag);

 private:
  std::vector<PlanColumn> columns_;
  std::deque<DataChunk> chunks_;
};

}  // namespace idem
