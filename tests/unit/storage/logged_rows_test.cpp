// The new rows of a change written into a log record and read back, of every type, as elements and as encoded blocks.

#include "storage/logged_rows.h"

#include "common/error.h"
#include "tests/unit/storage/column_samples.h"
#include "tests/unit/storage/storage_fixture.h"

namespace idem {
namespace {

using column_samples::Random;

std::shared_ptr<const TableSchema> schema_of_all_types() {
  auto schema = std::make_shared<TableSchema>();
  for (const SqlType type : column_samples::all_types()) {
    ColumnSchema column = test_column(fmt::format("c{}", schema->columns.size()), type);
    column.id = static_cast<ColumnId>(schema->columns.size() + 1);
    column.initial = Value::null(type);
    if (type.id == TypeId::kSymbol) {
      column.dictionary = std::make_shared<SymbolDictionary>();
      for (int i = 0; i < 1000; ++i) column.dictionary->intern(fmt::format("symbol {}", i));
    }
    schema->columns.push_back(std::move(column));
  }
  return schema;
}

std::shared_ptr<const ColumnBatch> sample_batch(const std::shared_ptr<const TableSchema>& schema,
                                                uint32_t count, int shape, Random& random) {
  auto batch = std::make_shared<ColumnBatch>(schema);
  for (size_t c = 0; c < schema->columns.size(); ++c) {
    const ColumnSchema& column = schema->columns[c];
    const int nulls = static_cast<int>(random() % column_samples::kNullShapes);
    for (uint32_t first = 0; first < count; first += kVectorSize) {
      const uint32_t rows = std::min(kVectorSize, count - first);
      Vector vector = column_samples::sample_vector(column.type, shape, nulls, rows, random);
      if (column.dictionary) {
        vector.form = Vector::Form::kDictionary;
        vector.dictionary = column.dictionary.get();
      }
      batch->column(c).append_vector(vector, {nullptr, rows});
    }
  }
  return batch;
}

enum class Order { kFollowing, kApart };

// The first `replaced` rows replace, the others are inserted.
PartitionChange change_of(std::shared_ptr<const ColumnBatch> rows, uint32_t replaced, Order order) {
  PartitionChange change;
  const uint32_t count = rows->rows(), step = order == Order::kApart ? 7 : 1;
  for (uint32_t i = 0; i < replaced; ++i) {
    change.positions.replaced.push_back(i * 2);
    change.replaced_rows.push_back(i * step % count);
  }
  if (replaced < count) change.positions.insert(uint64_t{replaced} * 2, count - replaced);
  change.first_inserted = replaced;
  if (order == Order::kApart) {
    for (uint32_t i = replaced; i < count; ++i) change.inserted_rows.push_back(i * step % count);
  }
  change.rows = std::move(rows);
  return change;
}

PartitionChange read_back(std::string_view bytes, const PartitionChange& written,
                          const std::shared_ptr<const TableSchema>& schema) {
  PartitionChange change;
  change.positions = written.positions;
  ByteReader in(bytes, "log record");
  read_logged_rows(in, schema, &change);
  in.expect_end();
  return change;
}

void expect_same_rows(const PartitionChange& written, const PartitionChange& found) {
  const uint32_t replaced = static_cast<uint32_t>(written.replaced_rows.size());
  std::vector<uint32_t> rows = written.replaced_rows;
  for (uint32_t i = 0; i < written.positions.inserted_count(); ++i) rows.push_back(written.inserted_row(i));
  ASSERT_EQ(found.rows->rows(), rows.size());
  ASSERT_EQ(found.replaced_rows.size(), replaced);
  ASSERT_EQ(found.first_inserted, replaced);
  for (size_t c = 0; c < written.rows->column_count(); ++c) {
    BatchColumn expected(written.rows->column(c).type(), written.rows->column(c).dictionary());
    expected.append_from(written.rows->column(c), rows.data(), rows.size());
    for (uint32_t first = 0; first < rows.size(); first += kVectorSize) {
      const uint32_t count = std::min<uint32_t>(kVectorSize, static_cast<uint32_t>(rows.size()) - first);
      SCOPED_TRACE(fmt::format("column {}, from row {} on", c, first));
      column_samples::expect_same(expected.slice(first, count), found.rows->column(c).slice(first, count), 0,
                                  count);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(LoggedRowsTest, AreReadAsTheyWere) {
  const auto schema = schema_of_all_types();
  Random random(1);
  for (const uint32_t count : {uint32_t{3}, uint32_t{100}, kEncodedLogRows, kEncodedLogRows + 1234}) {
    for (int shape = 0; shape < (count < kEncodedLogRows ? 14 : 3); ++shape) {
      const auto batch = sample_batch(schema, count, shape, random);
      for (const uint32_t replaced : {count, uint32_t{0}, count / 3}) {
        for (const Order order : {Order::kFollowing, Order::kApart}) {
          SCOPED_TRACE(fmt::format("{} rows, {} replaced, shape {}", count, replaced, shape));
          const PartitionChange change = change_of(batch, replaced, order);
          std::string bytes;
          ByteWriter out(bytes);
          write_logged_rows(out, change);
          expect_same_rows(change, read_back(bytes, change, schema));
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(LoggedRowsTest, ColumnsComeAndGo) {
  const auto before = schema_of_all_types();
  Random random(2);
  for (const uint32_t count : {uint32_t{100}, kEncodedLogRows}) {
    const PartitionChange change =
        change_of(sample_batch(before, count, 2, random), count, Order::kFollowing);
    std::string bytes;
    ByteWriter out(bytes);
    write_logged_rows(out, change);
    auto after = std::make_shared<TableSchema>(*before);
    after->columns.erase(after->columns.begin(), after->columns.begin() + 8);
    ColumnSchema added = test_column("added", TypeId::kBigInt);
    added.id = static_cast<ColumnId>(100);
    added.initial = Value::of_int(TypeId::kBigInt, 7);
    after->columns.push_back(added);
    const PartitionChange found = read_back(bytes, change, after);
    ASSERT_EQ(found.rows->rows(), count);
    EXPECT_EQ(found.rows->column(0).string_at(0), change.rows->column(8).string_at(0));
    const auto* initial = static_cast<const int64_t*>(found.rows->column(after->columns.size() - 1).data());
    EXPECT_EQ(initial[0], 7);
    EXPECT_EQ(initial[count - 1], 7);
  }
}

TEST(LoggedRowsTest, DamageIsAnError) {
  const auto schema = schema_of_all_types();
  Random random(3);
  for (const uint32_t count : {uint32_t{100}, kEncodedLogRows}) {
    const PartitionChange change =
        change_of(sample_batch(schema, count, 2, random), count, Order::kFollowing);
    std::string bytes;
    ByteWriter out(bytes);
    write_logged_rows(out, change);
    for (int i = 0; i < 60; ++i) {
      const size_t at = random() % bytes.size();
      try {
        read_back(std::string_view(bytes).substr(0, at), change, schema);
        ADD_FAILURE() << "cut at " << at;
      } catch (const SqlError& error) { EXPECT_EQ(error.sqlstate(), sqlstate::kDataCorrupted); }
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
      try {
        read_back(damaged, change,
                  schema);  // a plain element may be another one: the record's checksum finds it
      } catch (const SqlError& error) { EXPECT_EQ(error.sqlstate(), sqlstate::kDataCorrupted); }
    }
  }
}

}  // namespace
}  // namespace idem
