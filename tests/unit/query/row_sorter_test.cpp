// RowSorter against std::stable_sort, over values whose prefixes say little.
#include "query/row_sorter.h"

#include <algorithm>
#include <functional>
#include <random>

#include "common/array_value.h"
#include "common/decimal.h"
#include "common/uuid.h"
#include "tests/unit/query/operator_fixture.h"

namespace idem::test {
namespace {

using Random = std::mt19937;

// One column: writes value i of a vector; false for NULL.
using Fill = std::function<bool(Vector&, uint32_t i, Random&)>;
struct ColumnOf {
  SqlType type;
  Fill fill;
};

template <class T>
ColumnOf column_of(SqlType type, std::function<T(Random&)> make, uint32_t null_of = 0) {
  return {type, [=](Vector& vector, uint32_t i, Random& random) {
            const_cast<T*>(vector.values<T>())[i] = make(random);
            return null_of == 0 || random() % null_of != 0;
          }};
}
ColumnOf texts(std::function<std::string(Random&)> make, uint32_t null_of = 0) {
  return {TypeId::kText, [=](Vector& vector, uint32_t i, Random& random) {
            const_cast<std::string_view*>(vector.values<std::string_view>())[i] =
                vector.store_string(make(random));
            return null_of == 0 || random() % null_of != 0;
          }};
}

std::shared_ptr<RowStore> rows_of(const std::vector<ColumnOf>& columns, uint32_t count) {
  Random random(11);
  std::vector<SqlType> types;
  for (const ColumnOf& column : columns) types.push_back(column.type);
  auto rows = RowStore::make(types, nullptr);
  for (uint32_t first = 0; first < count; first += kVectorSize) {
    const uint32_t size = std::min(kVectorSize, count - first);
    std::vector<Vector> vectors(columns.size());
    for (size_t c = 0; c < columns.size(); ++c) {
      vectors[c].allocate(columns[c].type, kVectorSize);
      uint64_t* validity = vectors[c].allocate_validity();
      for (uint32_t i = 0; i < size; ++i) {
        if (!columns[c].fill(vectors[c], i, random)) validity[i >> 6] &= ~(uint64_t{1} << (i & 63));
      }
    }
    rows->append(vectors, {nullptr, size});
  }
  rows->seal();
  return rows;
}

int compare_rows(const RowStore& rows, const std::vector<SortColumn>& columns, uint32_t a, uint32_t b) {
  for (const SortColumn& column : columns) {
    const bool a_valid = rows.is_valid(column.column, a), b_valid = rows.is_valid(column.column, b);
    if (a_valid != b_valid) return a_valid == column.nulls_first ? 1 : -1;
    if (!a_valid) continue;
    const int order = compare_elements(rows.type(column.column).id, rows.element(column.column, a),
                                       rows.element(column.column, b));
    if (order != 0) return (order < 0) != column.descending ? -1 : 1;
  }
  return 0;
}

class RowSorterTest : public OperatorTest {
 protected:
  void check(const std::vector<ColumnOf>& columns, uint32_t count = 30'000) {
    const auto rows = rows_of(columns, count);
    for (const bool parallel : {false, true}) {
      for (const bool descending : {false, true}) {
        for (const bool nulls_first : {false, true}) {
          SCOPED_TRACE(
              fmt::format("parallel {}, descending {}, nulls first {}", parallel, descending, nulls_first));
          std::vector<SortColumn> sorted_by;
          for (uint32_t c = 0; c < columns.size(); ++c)
            sorted_by.push_back({c, c % 2 == 0 ? descending : !descending, nulls_first});
          ExecutionContext context = *context_;
          if (!parallel) context.workers = nullptr;
          check_order(*rows, sorted_by, context);
        }
      }
    }
  }

 private:
  static void check_order(const RowStore& rows, const std::vector<SortColumn>& columns,
                          const ExecutionContext& context) {
    std::vector<uint32_t> expected, ids;
    rows.all_ids(&expected);
    ids = expected;
    std::stable_sort(expected.begin(), expected.end(),
                     [&](uint32_t a, uint32_t b) { return compare_rows(rows, columns, a, b) < 0; });
    std::vector<RowChange> changes;
    RowSorter(rows, columns).sort(&ids, context, 1, &changes);
    ASSERT_EQ(ids, expected);
    for (size_t i = 1; i < ids.size(); ++i) {
      const RowChange change = compare_rows(rows, {columns[0]}, ids[i - 1], ids[i]) != 0 ? RowChange::kHead
                               : compare_rows(rows, columns, ids[i - 1], ids[i]) != 0    ? RowChange::kTail
                                                                                         : RowChange::kNone;
      ASSERT_EQ(changes[i], change) << i;
    }
  }
};

TEST_F(RowSorterTest, TextsThatBeginAlike) {
  check({texts([](Random& r) { return "customer " + std::to_string(r() % 100'000); })});
  check({texts([](Random& r) { return "customer " + std::to_string(r()) + std::to_string(r() % 3); }, 20)});
}

TEST_F(RowSorterTest, TextsOfAFewBeginnings) {
  check({texts([](Random& r) {
           return (r() % 3 == 0 ? "https://example.org/" : "https://www.example.com/a/long/path/to/") +
                  std::to_string(r() % 20'000) + "/index.html";
         }),
         texts([](Random& r) { return std::string(r() % 40, 'x') + std::to_string(r() % 3); }, 5)});
}

TEST_F(RowSorterTest, TextsThatEndInZeros) {
  check({texts([](Random& r) { return "a" + std::string(r() % 30, '\0') + std::string(r() % 2, 'b'); })});
  check({texts([](Random& r) { return std::string(r() % 20, '\0'); })});
}

TEST_F(RowSorterTest, FewTextsAndThenANumber) {
  check({texts([](Random& r) { return "the name of a device " + std::to_string(r() % 5); }, 10),
         column_of<int64_t>(TypeId::kBigInt, [](Random& r) {
           return static_cast<int64_t>((uint64_t{r()} << 32 | r()) & ~uint64_t{15});
         })});
}

TEST_F(RowSorterTest, NumbersThatFillThePrefix) {
  const auto wide = [](Random& r) { return static_cast<int64_t>(uint64_t{r() % 50} << 58 | r() % 50); };
  check({column_of<int64_t>(TypeId::kBigInt, wide, 7), column_of<int64_t>(TypeId::kBigInt, wide, 7),
         texts([](Random& r) { return std::to_string(r() % 1000); }, 9)});
}

TEST_F(RowSorterTest, Decimals) {
  check({column_of<Decimal>(
             SqlType(TypeId::kDecimal),
             [](Random& r) {
               const bool more_digits = r() % 2 == 0;
               const auto value = static_cast<int128_t>(r() % 2000) - 1000;
               return more_digits ? Decimal{value * 1000, 5} : Decimal{value, 2};
             },
             8),
         column_of<int32_t>(TypeId::kInteger, [](Random& r) { return static_cast<int32_t>(r()); })});
  // More digits than a double has.
  check({column_of<Decimal>(SqlType(TypeId::kDecimal), [](Random& r) {
    return Decimal{power_of_ten(30) + r() % 1000, 10};
  })});
}

TEST_F(RowSorterTest, Uuids) {
  check({column_of<Uuid>(TypeId::kUuid, [](Random& r) {
    Uuid uuid;
    for (uint8_t& byte : uuid.bytes) byte = static_cast<uint8_t>(r() % 3 == 0 ? r() : 0);
    return uuid;
  })});
}

}  // namespace
}  // namespace idem::test
