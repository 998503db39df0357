#include <benchmark/benchmark.h>
#include <functional>
#include <random>

#include "common/decimal.h"
#include "storage/column_encoder.h"
#include "storage/encoded_block.h"

// Encoding and decoding of whole vectors, and what rows of market data take on disk. items_per_second counts
// values.

namespace idem {
namespace {

constexpr uint32_t kRows = kRowGroupSize;
using Random = std::mt19937_64;

template <class T, class F>
std::vector<Vector> make_column(SqlType type, F&& value_at) {
  std::vector<Vector> vectors(kRows / kVectorSize);
  uint32_t row = 0;
  for (Vector& vector : vectors) {
    T* values = vector.allocate_as<T>(type);
    for (uint32_t i = 0; i < kVectorSize; ++i) {
      if constexpr (std::is_same_v<T, std::string_view>) {
        values[i] = vector.store_string(value_at(row++));
      } else {
        values[i] = value_at(row++);
      }
    }
  }
  return vectors;
}

struct EncodedColumn {
  SqlType type;
  std::vector<std::string> vectors;
  std::string parameters;
  size_t bytes = 0;

  EncodedColumn(SqlType column_type, const std::vector<Vector>& source) : type(column_type) {
    ColumnEncoder encoder(type, kRows, source);
    parameters = encoder.parameters();
    bytes = parameters.size();
    for (uint32_t v = 0; v < source.size(); ++v) {
      VectorStatistics statistics;
      std::string encoded;
      encoder.encode(v, &encoded, &statistics);
      bytes += encoded.size();
      vectors.push_back(std::move(encoded));
    }
  }
};

std::vector<Vector> packed_integers(int width) {
  Random random(1);
  return make_column<int32_t>(
      TypeId::kInteger, [&](uint32_t) { return static_cast<int32_t>(random() >> (64 - width)) + 1000; });
}
std::vector<Vector> packed_longs(int width) {
  Random random(1);
  return make_column<int64_t>(TypeId::kBigInt,
                              [&](uint32_t) { return static_cast<int64_t>(random() >> (64 - width)) - 77; });
}
std::vector<Vector> sorted_times() {
  Random random(1);
  int64_t time = 1'700'000'000'000'000;
  return make_column<int64_t>(TypeId::kTimestamp,
                              [&](uint32_t) { return time += static_cast<int64_t>(random() % 2000); });
}
std::vector<Vector> regular_times() {
  return make_column<int64_t>(TypeId::kTimestamp,
                              [](uint32_t i) { return 1'700'000'000'000'000 + int64_t{i} * 1'000'000; });
}
std::vector<Vector> prices() {
  Random random(1);
  return make_column<double>(TypeId::kDouble,
                             [&](uint32_t) { return static_cast<double>(random() % 50'000) / 100; });
}
std::vector<Vector> sensor_values() {
  Random random(1);
  return make_column<double>(TypeId::kDouble,
                             [&](uint32_t) { return 20 + static_cast<double>(random() >> 11) * 0x1p-53; });
}
std::vector<Vector> few_strings() {
  Random random(1);
  return make_column<std::string_view>(TypeId::kVarchar, [&](uint32_t) {
    return std::string_view("choices of text").substr(0, 1 + random() % 15);
  });
}
std::vector<Vector> urls() {
  std::string text;
  return make_column<std::string_view>(TypeId::kVarchar, [&](uint32_t i) {
    text = "https://example.com/items/" + std::to_string(i * 7919);
    return std::string_view(text);
  });
}
std::vector<Vector> decimals() {
  Random random(1);
  return make_column<Decimal>(SqlType::decimal(18, 4), [&](uint32_t) {
    return Decimal{static_cast<int64_t>(random() % 1'000'000), 4};
  });
}

void decode(benchmark::State& state, SqlType type, const std::vector<Vector>& source) {
  const EncodedColumn column(type, source);
  BlockBuilder builder;
  builder.begin(column.parameters);
  for (const std::string& vector : column.vectors) builder.add(vector);
  std::string bytes;
  const BlockLocation location = builder.finish(&bytes);
  auto copy = std::make_unique<char[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  const auto block = EncodedBlock::parse(std::move(copy), location);
  Vector out;
  uint32_t v = 0;
  for (auto unused : state) {
    block->decode(v, {type, kVectorSize, 1000}, &out);
    v = (v + 1) % block->vector_count();
    benchmark::DoNotOptimize(out.data);
  }
  state.SetItemsProcessed(state.iterations() * kVectorSize);
  state.counters["bytes_per_value"] = static_cast<double>(column.bytes) / kRows;
}

void encode(benchmark::State& state, SqlType type, const std::vector<Vector>& source) {
  for (auto unused : state) {
    const EncodedColumn column(type, source);
    benchmark::DoNotOptimize(column.bytes);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}

bool register_column(const std::string& name, SqlType type, std::function<std::vector<Vector>()> make) {
  benchmark::RegisterBenchmark(("decode/" + name).c_str(),
                               [=](benchmark::State& s) { decode(s, type, make()); });
  benchmark::RegisterBenchmark(("encode/" + name).c_str(),
                               [=](benchmark::State& s) { encode(s, type, make()); });
  return true;
}

// One row group of trades: time with jitter, one of 100 tickers, a side, price in cents around the ticker's
// base, amount in 1/10,000 up to 100.
void market_data(benchmark::State& state) {
  Random random(1);
  std::vector<int32_t> tickers(kRows);
  for (int32_t& ticker : tickers) ticker = static_cast<int32_t>(random() % 100);
  int64_t time = 1'700'000'000'000'000;
  const auto mean_gap = static_cast<double>(state.range(0));
  std::exponential_distribution<double> gap(1 / mean_gap);
  std::normal_distribution<double> spread(0, 50);
  double bytes[5] = {};
  for (auto unused : state) {
    auto size_of = [&](SqlType type, const std::vector<Vector>& source) {
      return static_cast<double>(EncodedColumn(type, source).bytes) / kRows;
    };
    bytes[0] = size_of(TypeId::kTimestamp, make_column<int64_t>(TypeId::kTimestamp, [&](uint32_t) {
                         return time += static_cast<int64_t>(gap(random));
                       }));
    bytes[1] = size_of(TypeId::kSymbol,
                       make_column<int32_t>(TypeId::kSymbol, [&](uint32_t i) { return tickers[i]; }));
    bytes[2] = size_of(TypeId::kSymbol, make_column<int32_t>(TypeId::kSymbol, [&](uint32_t) {
                         return static_cast<int32_t>(random() % 2);
                       }));
    bytes[3] = size_of(TypeId::kDouble, make_column<double>(TypeId::kDouble, [&](uint32_t i) {
                         return std::round(1000 + tickers[i] * 450 + spread(random)) / 100;
                       }));
    bytes[4] = size_of(TypeId::kDouble, make_column<double>(TypeId::kDouble, [&](uint32_t) {
                         return static_cast<double>(random() % 1'000'000 + 1) / 10'000;
                       }));
  }
  const char* names[5] = {"ts", "ticker", "side", "price", "amount"};
  double sum = 0;
  for (int i = 0; i < 5; ++i) {
    state.counters[names[i]] = bytes[i];
    sum += bytes[i];
  }
  state.counters["bytes_per_row"] = sum;
}
BENCHMARK(market_data)->Arg(1000)->Arg(10'000)->Arg(86'400)->Unit(benchmark::kMillisecond);

const bool kRegistered = register_column("int32/3", TypeId::kInteger, [] { return packed_integers(3); }) &&
                         register_column("int32/11", TypeId::kInteger, [] { return packed_integers(11); }) &&
                         register_column("int32/20", TypeId::kInteger, [] { return packed_integers(20); }) &&
                         register_column("int32/31", TypeId::kInteger, [] { return packed_integers(31); }) &&
                         register_column("int64/11", TypeId::kBigInt, [] { return packed_longs(11); }) &&
                         register_column("int64/40", TypeId::kBigInt, [] { return packed_longs(40); }) &&
                         register_column("timestamp/jitter", TypeId::kTimestamp, sorted_times) &&
                         register_column("timestamp/regular", TypeId::kTimestamp, regular_times) &&
                         register_column("double/alp", TypeId::kDouble, prices) &&
                         register_column("double/alp_rd", TypeId::kDouble, sensor_values) &&
                         register_column("string/dictionary", TypeId::kVarchar, few_strings) &&
                         register_column("string/lz4", TypeId::kVarchar, urls) &&
                         register_column("decimal", SqlType::decimal(18, 4), decimals);

}  // namespace
}  // namespace idem
