// Random transactions, two at a time, on every kind of table, compared with TableModel after each commit.

#include "tests/unit/storage/table_model.h"

#include <set>

#include "common/error.h"

namespace idem {
namespace {

struct Operation {
  enum Kind { kInsert, kDelete, kUpdate, kTruncate } kind = kInsert;
  std::vector<TableModel::Row> rows;
  std::vector<uint64_t> ids;  // of inserted rows, or of those that are deleted or updated
};

class Workload {
 public:
  Workload(Shape shape, uint64_t seed, int64_t times, int symbols, uint32_t batch_rows,
           bool one_partition = false, LoadLimits load = {})
      : maker_(seed, times, symbols),
        model_(one_partition ? in_one_partition(model_schema(shape)) : model_schema(shape)),
        batch_rows_(batch_rows),
        load_(load) {
    open();
    auto t = database_->begin();
    id_ = t->create_table(model_.schema);
    t->commit(true);
  }

  // Rows in one partition of several blocks, so that what comes later changes few of each.
  static TableSchema in_one_partition(TableSchema schema) {
    if (schema.has_timestamp()) schema.partition_by = PartitionUnit::kYear;
    return schema;
  }
  void load(uint32_t rows) {
    Running first = begin();
    Operation operation;
    ColumnBatch batch(first.transaction->schema_view().table(id_)->schema);
    for (uint32_t i = 0; i < rows; ++i) {
      operation.rows.push_back(maker_.row());
      operation.ids.push_back(++next_id_);
      append_row(&batch, operation.rows.back());
    }
    first.transaction->insert(id_, std::move(batch));
    first.operations.push_back(std::move(operation));
    commit(&first);
    if (maker_.below(2) == 0) database_->checkpoint();
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      SCOPED_TRACE(fmt::format("step {}", i));
      step();
      if (::testing::Test::HasFatalFailure() || ::testing::Test::HasNonfatalFailure()) return;
      if (maker_.below(12) == 0) database_->checkpoint();
      if (maker_.below(15) == 0) open();
      const auto version = database_->snapshot().table(id_);
      expect_equal(exact_rows_of(version), model_.texts());
      if (::testing::Test::HasFatalFailure()) return;
      version->partitions.for_each([&](const std::shared_ptr<const Partition>& partition) {
        for (const Slice& slice : partition->slices) overlays_seen_ += slice.overlay ? 1 : 0;
      });
    }
  }
  uint64_t overlays_seen() const { return overlays_seen_; }

 private:
  struct Running {
    std::unique_ptr<Transaction> transaction;
    TableModel view;
    std::vector<Operation> operations;
    uint64_t snapshot = 0;
  };

  static void expect_equal(const std::vector<std::string>& stored, const std::vector<std::string>& model) {
    for (size_t i = 0; i < std::min(stored.size(), model.size()); ++i)
      ASSERT_EQ(stored[i], model[i]) << "row " << i;
    ASSERT_EQ(stored.size(), model.size());
  }

  void open() {
    database_.reset();
    DatabaseOptions options;
    options.background_checkpoint = false;
    options.log_segment_bytes = 1 << 20;
    options.load = load_;
    database_ = Database::open(files_, clock_, "/data", options);
  }

  Running begin() { return {database_->begin(), model_, {}, stamp_}; }

  // Rows of the view that no other operation of this transaction picked in this step.
  std::vector<size_t> pick(const TableModel& view, size_t count) {
    std::set<size_t> picked;
    for (size_t i = 0; i < count && !view.rows.empty(); ++i) {
      const size_t row = maker_.below(view.rows.size());
      if (!view.is_tombstone(view.rows[row].values)) picked.insert(row);
    }
    return {picked.begin(), picked.end()};
  }

  void operate(Running* running) {
    Operation operation;
    const uint64_t choice = maker_.below(20);
    TableModel& view = running->view;
    if (choice < 13 || view.rows.empty()) {
      operation.kind = Operation::kInsert;
      const uint64_t count = 1 + maker_.below(maker_.below(4) == 0 ? batch_rows_ : 5);
      ColumnBatch batch(running->transaction->schema_view().table(id_)->schema);
      const bool resend = maker_.below(4) == 0 && !view.rows.empty();
      size_t from = resend ? maker_.below(view.rows.size()) : 0;
      for (uint64_t i = 0; i < count; ++i) {
        TableModel::Row row = maker_.row();
        if (resend && from < view.rows.size() && maker_.below(50) != 0) row = view.rows[from].values;
        ++from;
        append_row(&batch, row);
        operation.rows.push_back(row);
        operation.ids.push_back(++next_id_);
        view.upsert(row, next_id_, UINT64_MAX);
      }
      running->transaction->insert(id_, std::move(batch));
    } else if (choice < 19) {
      const bool is_delete = choice < 16;
      operation.kind = is_delete ? Operation::kDelete : Operation::kUpdate;
      const auto indices = pick(view, 1 + maker_.below(maker_.below(4) == 0 ? batch_rows_ : 4));
      const auto version = running->transaction->read_view().table(id_);
      expect_equal(exact_rows_of(version), view.texts());
      if (::testing::Test::HasFatalFailure()) return;
      const auto positions = positions_of(*version, indices);
      for (const size_t index : indices) operation.ids.push_back(view.rows[index].id);
      if (is_delete) {
        running->transaction->remove(id_, positions);
      } else {
        ColumnBatch batch(version->schema);
        for (const size_t index : indices) {
          TableModel::Row row = maker_.row();
          for (const uint32_t key : model_.schema.upsert_keys) row[key] = view.rows[index].values[key];
          append_row(&batch, row);
          operation.rows.push_back(row);
        }
        running->transaction->update(id_, positions, std::move(batch));
      }
      apply(&view, operation, UINT64_MAX, nullptr);
    } else if (maker_.below(4) == 0) {
      operation.kind = Operation::kTruncate;
      running->transaction->truncate(id_);
      view.rows.clear();
    }
    running->operations.push_back(std::move(operation));
  }

  // False if a row that is to be deleted or updated is gone.
  static bool apply(TableModel* model, const Operation& operation, uint64_t stamp,
                    std::map<uint64_t, uint64_t>* aliases) {
    const auto resolve = [&](uint64_t id) {
      if (!aliases) return id;
      const auto found = aliases->find(id);
      return found == aliases->end() ? id : found->second;
    };
    switch (operation.kind) {
      case Operation::kInsert:
        for (size_t i = 0; i < operation.rows.size(); ++i) {
          const uint64_t became = model->upsert(operation.rows[i], operation.ids[i], stamp);
          if (aliases) (*aliases)[operation.ids[i]] = became;
        }
        return true;
      case Operation::kDelete:
        for (const uint64_t id : operation.ids) {
          const size_t at = model->find_id(resolve(id));
          if (at == model->rows.size() || model->is_tombstone(model->rows[at].values)) return false;
          model->rows.erase(model->rows.begin() + static_cast<std::ptrdiff_t>(at));
        }
        return true;
      case Operation::kUpdate: {
        // Rows that move are taken out first, then put back in order.
        std::vector<TableModel::Stored> moved;
        for (size_t i = 0; i < operation.ids.size(); ++i) {
          const size_t at = model->find_id(resolve(operation.ids[i]));
          if (at == model->rows.size() || model->is_tombstone(model->rows[at].values)) return false;
          const bool time_changed = model->schema.has_timestamp() && !model->schema.has_keys() &&
                                    model->rows[at].values[0].as_int() != operation.rows[i][0].as_int();
          if (time_changed) {
            moved.push_back({model->rows[at].id, stamp, operation.rows[i]});
            model->rows.erase(model->rows.begin() + static_cast<std::ptrdiff_t>(at));
          } else {
            model->rows[at].values = operation.rows[i];
            model->rows[at].changed = stamp;
          }
        }
        for (TableModel::Stored& row : moved) {
          const size_t place = model->place_for(row.values);
          model->rows.insert(model->rows.begin() + static_cast<std::ptrdiff_t>(place), std::move(row));
        }
        return true;
      }
      case Operation::kTruncate: model->rows.clear(); return true;
    }
    return true;
  }

  void commit(Running* running) {
    ++stamp_;
    TableModel next = model_;
    bool conflict = false;
    // What comes before a TRUNCATE does not matter any more.
    size_t first = 0;
    for (size_t i = 0; i < running->operations.size(); ++i) {
      if (running->operations[i].kind == Operation::kTruncate) first = i;
    }
    std::map<uint64_t, uint64_t> aliases;
    for (size_t i = first; i < running->operations.size() && !conflict; ++i) {
      const Operation& operation = running->operations[i];
      if (operation.kind == Operation::kDelete || operation.kind == Operation::kUpdate) {
        for (const uint64_t id : operation.ids) {
          const auto alias = aliases.find(id);
          if (alias != aliases.end()) continue;  // a row of its own
          const size_t at = model_.find_id(id);
          if (at < model_.rows.size() && model_.rows[at].changed > running->snapshot) conflict = true;
        }
      }
      if (!conflict && !apply(&next, operation, stamp_, &aliases)) conflict = true;
    }
    try {
      const CommitResult result = running->transaction->commit(true);
      ASSERT_FALSE(conflict) << "a conflict was missed";
      static_cast<void>(result);
      model_ = std::move(next);
    } catch (const SqlError& e) {
      ASSERT_EQ(e.sqlstate(), "40001") << e.message();
      ASSERT_TRUE(conflict) << e.message();
    }
  }

  void step() {
    Running a = begin();
    for (uint64_t n = 1 + maker_.below(3); n > 0; --n) operate(&a);
    if (::testing::Test::HasFatalFailure()) return;
    if (maker_.below(3) == 0) {
      Running b = begin();
      for (uint64_t n = 1 + maker_.below(2); n > 0; --n) operate(&b);
      if (::testing::Test::HasFatalFailure()) return;
      if (maker_.below(5) == 0) {
        b.transaction->rollback();
      } else {
        commit(&b);
      }
      if (maker_.below(3) == 0) database_->checkpoint();
      if (::testing::Test::HasFatalFailure()) return;
    }
    if (maker_.below(8) == 0) {
      a.transaction.reset();
      return;
    }
    commit(&a);
  }

  SimulatedFileSystem files_;
  SettableClock clock_;
  RowMaker maker_;
  TableModel model_;
  uint32_t batch_rows_;
  LoadLimits load_;
  std::unique_ptr<Database> database_;
  TableId id_{};
  uint64_t stamp_ = 0, next_id_ = 0, overlays_seen_ = 0;
};

class TableModelTest : public ::testing::TestWithParam<int> {};

TEST_P(TableModelTest, FewRowsOfManyTimes) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Workload(static_cast<Shape>(GetParam()), seed, 200, 5, 60).run(40);
    if (HasFailure()) return;
  }
}

TEST_P(TableModelTest, ManyRowsOfFewTimes) {
  SCOPED_TRACE("one time by the hundred");
  Workload(static_cast<Shape>(GetParam()), 77, 6, 400, 900).run(25);
}

TEST_P(TableModelTest, ManyBlocks) {
  SCOPED_TRACE("several vectors");
  Workload(static_cast<Shape>(GetParam()), 5, 3'000, 30, 3'000).run(15);
}

TEST_P(TableModelTest, FewChangesOfManyBlocks) {
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Workload workload(static_cast<Shape>(GetParam()), 900 + seed, 50'000, 5'000, 60, true);
    workload.load(5'000);
    if (HasFailure()) return;
    workload.run(25);
    if (HasFailure()) return;
    // Few different keys are few rows, which are written anew at once.
    if (static_cast<Shape>(GetParam()) != Shape::kFloatKey) { EXPECT_GT(workload.overlays_seen(), 10u); }
  }
}

// Nearly everything is streamed into segment files.
TEST_P(TableModelTest, SmallInsertsAsIfTheyWereLarge) {
  for (uint64_t seed = 11; seed <= 16; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const LoadLimits load{.batch_rows = 1 + static_cast<uint32_t>(seed % 4) * 5,
                          .group_rows = 16 + static_cast<uint32_t>(seed % 3) * 40,
                          .left_behind_rows = 2,
                          .load_rows = 1,
                          .encoded_rows = 1 + static_cast<uint32_t>(seed % 2) * 4,
                          .dense_rows = 1 + static_cast<uint32_t>(seed % 3)};
    Workload(static_cast<Shape>(GetParam()), seed, 150, 4, 120, false, load).run(40);
    if (HasFailure()) return;
  }
}

TEST_P(TableModelTest, StreamedRowsAmongManyBlocks) {
  for (uint64_t seed = 21; seed <= 22; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const LoadLimits load{.batch_rows = 1,
                          .group_rows = 4'000,
                          .left_behind_rows = 2,
                          .load_rows = 1,
                          .encoded_rows = 1,
                          .dense_rows = 2};
    Workload workload(static_cast<Shape>(GetParam()), seed, 50'000, 5'000, 400, true, load);
    workload.load(9'000);
    if (HasFailure()) return;
    workload.run(20);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, TableModelTest, ::testing::Range(0, static_cast<int>(Shape::kCount)));

}  // namespace
}  // namespace idem
