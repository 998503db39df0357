#include <gtest/gtest.h>

#include "common/error.h"
#include "storage/codec_integer.h"
#include "storage/codec_kernels.h"
#include "storage/codec_packed.h"
#include "storage/column_encoder.h"
#include "storage/encoded_block.h"
#include "tests/unit/storage/column_samples.h"

namespace idem {
namespace {

using column_samples::Random;

// A column through the encoder and back; vectors of 2,048 rows but the last. Returns the encoded vectors.
std::vector<std::string> expect_round_trip(SqlType type, const std::vector<Vector>& vectors, uint32_t rows) {
  ColumnEncoder encoder(type, rows, vectors);
  std::vector<std::string> encodings;
  for (uint32_t v = 0; v < vectors.size(); ++v) {
    const uint32_t count = std::min(kVectorSize, rows - v * kVectorSize);
    VectorStatistics statistics;
    std::string encoded;
    encoder.encode(v, &encoded, &statistics);
    BlockBuilder builder;
    builder.begin(encoder.parameters());
    builder.add(encoded);
    std::string bytes;
    BlockLocation location = builder.finish(&bytes);
    auto copy = std::make_unique<char[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    const auto block = EncodedBlock::parse(std::move(copy), location);
    Vector decoded;
    block->decode(0, {type, count, 1000}, &decoded);
    column_samples::expect_same(vectors[v], decoded, 0, count);
    if (testing::Test::HasFatalFailure()) return encodings;
    encodings.push_back(std::move(encoded));
  }
  return encodings;
}

Codec codec_of(const std::string& encoded) { return static_cast<Codec>(encoded[0]); }

TEST(PackedNumbers, EveryWidthAndLength) {
  Random random(1);
  for (unsigned width = 0; width <= 64; ++width) {
    for (const uint32_t count : {1u, 2u, 63u, 64u, 1000u, 1023u, 1024u, 1025u, 2047u, 2048u}) {
      std::vector<uint64_t> numbers(count);
      for (uint64_t& n : numbers) n = width == 0 ? 0 : random() >> (64 - width);
      if (width > 0) numbers[0] |= uint64_t{1} << (width - 1);
      PackingPlan plan;
      plan.width = plan.full_width = static_cast<uint8_t>(width);
      std::string packed;
      write_packed(numbers.data(), count, plan, &packed);
      ByteReader in(packed, "test");
      UnpackedNumbers unpacked;
      unpacked.read(in, count);
      ASSERT_TRUE(in.at_end());
      for (uint32_t i = 0; i < count; ++i)
        ASSERT_EQ(unpacked[i], numbers[i]) << width << " " << count << " " << i;
    }
  }
}

TEST(PackedNumbers, PatchesTheFewLargeOnes) {
  Random random(2);
  for (const unsigned full : {9u, 31u, 32u, 33u, 63u, 64u}) {
    std::vector<uint64_t> numbers(kVectorSize);
    for (uint64_t& n : numbers) n = random() % 50 == 0 ? random() >> (64 - full) : random() % 8;
    numbers[77] = ~uint64_t{0} >> (64 - full);
    const PackingPlan plan = plan_packed(numbers.data(), kVectorSize);
    EXPECT_EQ(plan.full_width, full);
    EXPECT_LT(plan.width, full);
    std::string packed;
    write_packed(numbers.data(), kVectorSize, plan, &packed);
    EXPECT_EQ(packed.size(), plan.bytes);
    ByteReader in(packed, "test");
    UnpackedNumbers unpacked;
    unpacked.read(in, kVectorSize);
    for (uint32_t i = 0; i < kVectorSize; ++i) ASSERT_EQ(unpacked[i], numbers[i]) << i;
  }
}

TEST(CodecKernels, AllInstructionSetsAgree) {
  Random random(3);
  const CodecKernels& baseline = *codec_kernels_named("baseline");
  std::vector<uint8_t> packed(64 * 128 + 1);
  for (uint8_t& byte : packed) byte = static_cast<uint8_t>(random());
  for (const char* name : {"avx2", "avx512"}) {
    const CodecKernels* kernels = codec_kernels_named(name);
    if (!kernels) continue;
    for (int width = 0; width <= 32; ++width) {
      std::array<uint32_t, 1024> a, b;
      baseline.unpack32[width](packed.data() + 1, a.data());
      kernels->unpack32[width](packed.data() + 1, b.data());
      ASSERT_EQ(a, b) << name << " " << width;
    }
    std::array<uint64_t, 1024> a, b;
    for (int width = 33; width <= 64; ++width) {
      baseline.unpack64[width](packed.data() + 1, a.data());
      kernels->unpack64[width](packed.data() + 1, b.data());
      ASSERT_EQ(a, b) << name << " " << width;
    }
    std::array<uint32_t, 1024> narrow;
    for (uint32_t& n : narrow) n = static_cast<uint32_t>(random());
    for (const uint64_t divisor : {uint64_t{1}, uint64_t{7}, uint64_t{1} << 40}) {
      std::array<uint64_t, 1024> x, y;
      baseline.scale_u32_to_64(narrow.data(), 1000, 5, divisor, x.data());
      kernels->scale_u32_to_64(narrow.data(), 1000, 5, divisor, y.data());
      ASSERT_TRUE(std::equal(x.begin(), x.begin() + 1000, y.begin()));
      baseline.scale_u64_to_64(a.data(), 1000, 5, divisor, x.data());
      kernels->scale_u64_to_64(a.data(), 1000, 5, divisor, y.data());
      ASSERT_TRUE(std::equal(x.begin(), x.begin() + 1000, y.begin()));
    }
    std::array<double, 1024> d, e;
    baseline.alp_u32_to_double(narrow.data(), 1000, static_cast<uint64_t>(-77), 10, 1e-4, d.data());
    kernels->alp_u32_to_double(narrow.data(), 1000, static_cast<uint64_t>(-77), 10, 1e-4, e.data());
    ASSERT_EQ(std::memcmp(d.data(), e.data(), 1000 * sizeof(double)), 0);
  }
}

TEST(CodecRoundTrip, EveryTypeShapeAndNullPattern) {
  Random random(4);
  for (const SqlType type : column_samples::all_types()) {
    for (int shape = 0; shape < column_samples::kIntegerShapes; ++shape) {
      for (int null_shape = 0; null_shape < column_samples::kNullShapes; ++null_shape) {
        SCOPED_TRACE(format_type(type) + " shape " + std::to_string(shape) + " nulls " +
                     std::to_string(null_shape));
        for (const uint32_t last : {1u, 700u, 2048u}) {
          std::vector<Vector> vectors;
          vectors.push_back(column_samples::sample_vector(type, shape, null_shape, kVectorSize, random));
          vectors.push_back(column_samples::sample_vector(type, shape, null_shape, last, random));
          expect_round_trip(type, vectors, kVectorSize + last);
          ASSERT_FALSE(HasFatalFailure());
        }
      }
    }
  }
}

TEST(CodecRoundTrip, ShapesThatChangeWithinARowGroup) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    const SqlType type = column_samples::all_types()[random() % column_samples::all_types().size()];
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto count = static_cast<uint32_t>(1 + random() % 12);
    const auto last = static_cast<uint32_t>(1 + random() % kVectorSize);
    std::vector<Vector> vectors;
    for (uint32_t v = 0; v < count; ++v) {
      vectors.push_back(column_samples::sample_vector(type, static_cast<int>(random() % 14),
                                                      static_cast<int>(random() % 6),
                                                      v + 1 == count ? last : kVectorSize, random));
    }
    expect_round_trip(type, vectors, (count - 1) * kVectorSize + last);
    ASSERT_FALSE(HasFatalFailure());
  }
}

TEST(CodecRoundTrip, OneRow) {
  Random random(5);
  for (const SqlType type : column_samples::all_types()) {
    for (int null_shape = 0; null_shape < 2; ++null_shape) {
      expect_round_trip(type, {column_samples::sample_vector(type, 1, null_shape, 1, random)}, 1);
      ASSERT_FALSE(HasFatalFailure());
    }
  }
}

template <class T, class F>
std::vector<std::string> encode_column(SqlType type, F&& value_at) {
  std::vector<Vector> vectors;
  for (uint32_t v = 0; v < 8; ++v) {
    std::vector<T> values;
    for (uint32_t i = 0; i < kVectorSize; ++i) values.push_back(value_at(v * kVectorSize + i));
    vectors.push_back(column_samples::make_vector<T>(type, values));
  }
  return expect_round_trip(type, vectors, 8 * kVectorSize);
}

TEST(CodecChoice, FitsTheData) {
  Random random(6);
  auto first = [](const std::vector<std::string>& encodings) { return codec_of(encodings[3]); };
  EXPECT_EQ(first(encode_column<int64_t>(TypeId::kBigInt, [](uint32_t) { return 9; })), Codec::kConstant);
  EXPECT_EQ(first(encode_column<int64_t>(TypeId::kBigInt, [&](uint32_t) { return int64_t(random() % 100); })),
            Codec::kPacked);
  EXPECT_EQ(first(encode_column<int64_t>(TypeId::kTimestamp, [](uint32_t i) { return int64_t{i} * 1000; })),
            Codec::kDelta);
  EXPECT_EQ(first(encode_column<int64_t>(TypeId::kBigInt, [](uint32_t i) { return int64_t{i} * i * 5000; })),
            Codec::kDeltaDelta);
  EXPECT_EQ(
      first(encode_column<int64_t>(TypeId::kBigInt, [](uint32_t i) { return int64_t{i / 200 % 2} * 99991; })),
      Codec::kRunLength);
  EXPECT_EQ(
      first(encode_column<double>(TypeId::kDouble, [&](uint32_t) { return double(random() % 9999) / 100; })),
      Codec::kAlp);
  EXPECT_EQ(first(encode_column<double>(TypeId::kDouble, [](uint32_t i) { return 2 + std::sin(i * 0.37); })),
            Codec::kAlpRd);
  EXPECT_EQ(first(encode_column<double>(TypeId::kDouble,
                                        [&](uint32_t) { return std::bit_cast<double>(random()); })),
            Codec::kPlain);
  EXPECT_EQ(first(encode_column<double>(TypeId::kDouble, [](uint32_t i) { return std::sqrt(i / 500); })),
            Codec::kRunLength);
}

TEST(CodecChoice, EvenlySpacedTimestampsBecomeSequences) {
  std::vector<int64_t> values;
  for (int i = 0; i < 100; ++i) values.push_back(5000 + i * 250);
  ColumnEncoder encoder(TypeId::kTimestamp, 100,
                        {column_samples::make_vector<int64_t>(TypeId::kTimestamp, values)});
  std::string encoded;
  VectorStatistics statistics;
  encoder.encode(0, &encoded, &statistics);
  EXPECT_LT(encoded.size(), 12u);
  Vector decoded;
  decode_vector(encoded, {TypeId::kTimestamp, 100, 0}, {}, nullptr, &decoded);
  EXPECT_EQ(decoded.form, Vector::Form::kSequence);
  EXPECT_EQ(decoded.sequence_start, 5000);
  EXPECT_EQ(decoded.sequence_step, 250);
  EXPECT_EQ(statistics.min, 5000);
  EXPECT_EQ(statistics.max, 5000 + 99 * 250);
}

TEST(Statistics, NanIsTheLargestAndNullsDoNotCount) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Vector vector = column_samples::make_vector<double>(TypeId::kDouble, {-3.0, nan, 0.0, 8.0},
                                                            {false, false, true, false});
  const VectorStatistics statistics = compute_statistics(vector, 4);
  EXPECT_TRUE(statistics.has_bounds);
  EXPECT_EQ(std::bit_cast<double>(statistics.min), -3.0);
  EXPECT_TRUE(std::isnan(std::bit_cast<double>(statistics.max)));
  EXPECT_EQ(statistics.null_count, 1u);
  const Vector nulls = column_samples::make_vector<int32_t>(TypeId::kInteger, {1, 2}, {true, true});
  EXPECT_FALSE(compute_statistics(nulls, 2).has_bounds);
}

// Decoders must refuse or accept any bytes, without reading beyond them (run with AddressSanitizer).
TEST(CodecRobustness, DamagedVectorsNeverCrash) {
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const SqlType type = column_samples::all_types()[random() % column_samples::all_types().size()];
    const auto count = static_cast<uint32_t>(1 + random() % 2048);
    const Vector vector = column_samples::sample_vector(type, static_cast<int>(random() % 14),
                                                        static_cast<int>(random() % 6), count, random);
    ColumnEncoder encoder(type, count, {vector});
    std::string encoded;
    VectorStatistics statistics;
    encoder.encode(0, &encoded, &statistics);
    for (int damage = 0; damage < 10; ++damage) {
      std::string bytes = encoded;
      const size_t window = random() % 2 == 0 ? std::min<size_t>(bytes.size(), 24) : bytes.size();
      for (uint64_t n = 1 + random() % 4; n-- > 0;) bytes[random() % window] = static_cast<char>(random());
      if (random() % 4 == 0) bytes.resize(random() % (bytes.size() + 1));
      const std::string exact(bytes);
      auto owned = std::make_unique<char[]>(exact.size());
      std::copy(exact.begin(), exact.end(), owned.get());
      const std::vector<std::string_view> dictionary = {"a", "b"};
      Vector decoded;
      try {
        decode_vector({owned.get(), exact.size()}, {type, count, 1000}, dictionary, nullptr, &decoded);
        const Vector flat = flatten(decoded, count, {nullptr, count}, false);
        if (type.id == TypeId::kSymbol) {
          for (uint32_t i = 0; i < count; ++i) ASSERT_LT(flat.values<int32_t>()[i], 1000);
        }
        if (physical_type(type) == PhysicalType::kString) {
          size_t sum = 0;
          for (uint32_t i = 0; i < count; ++i) {
            for (const char c : flat.values<std::string_view>()[i]) sum += static_cast<unsigned char>(c);
          }
          ASSERT_NE(sum, 1u);
        }
      } catch (const SqlError& error) { ASSERT_EQ(error.sqlstate(), sqlstate::kDataCorrupted); }
    }
  }
}

}  // namespace
}  // namespace idem
