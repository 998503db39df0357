#include "storage/dense_replacement.h"

#include <gtest/gtest.h>
#include <map>
#include <random>

namespace idem {
namespace {

// What becomes of rows 0 … count - 1: old ones as their ordinals, new ones as 1,000,000 + the row of the batch.
std::vector<uint64_t> rows_after(const PartitionChange& change, uint64_t count) {
  std::vector<uint64_t> rows;
  size_t run = 0, replaced = 0;
  const auto& inserted = change.positions.inserted;
  const auto insert_before = [&](uint64_t ordinal) {
    for (; run < inserted.size() && inserted[run].before <= ordinal; ++run) {
      for (uint64_t i = 0; i < inserted[run].count; ++i)
        rows.push_back(1'000'000 + change.inserted_row(inserted[run].first + i));
    }
  };
  for (uint64_t ordinal = 0; ordinal < count; ++ordinal) {
    insert_before(ordinal);
    if (change.positions.deletes(ordinal)) continue;
    if (change.positions.replaces(ordinal)) {
      rows.push_back(1'000'000 + change.replaced_rows[replaced++]);
    } else {
      rows.push_back(ordinal);
    }
  }
  insert_before(UINT64_MAX);
  return rows;
}

// By row of the batch.
std::map<uint32_t, uint32_t> places_of(const PartitionMatch& match) {
  std::map<uint32_t, uint32_t> places;
  for (const PlaceRun& run : match.inserted) {
    for (uint32_t i = 0; i < run.count; ++i) places[match.change.inserted_row(run.first + i)] = run.place + i;
  }
  for (size_t i = 0; i < match.replaced_places.size(); ++i)
    places[match.change.replaced_rows[i]] = match.replaced_places[i];
  return places;
}

PartitionMatch random_match(std::mt19937_64& random, uint64_t count) {
  PartitionMatch match;
  uint32_t row = 0;
  uint64_t runs_of = 1 + random() % 6;  // how long things go on as they are
  int what = 0;
  for (uint64_t ordinal = 0; ordinal < count; ++ordinal) {
    if (random() % runs_of == 0) what = static_cast<int>(random() % 4);
    if (random() % 10 == 0) {
      add_place_run(&match.inserted, {match.change.positions.inserted_count(), 1, row});
      match.change.inserted_rows.push_back(row++);
      match.change.positions.insert(ordinal, 1);
    }
    if (what == 0) match.change.positions.deleted.push_back(ordinal);
    if (what >= 2) {
      match.change.positions.replaced.push_back(ordinal);
      match.replaced_places.push_back(row);
      match.change.replaced_rows.push_back(row++);
    }
  }
  add_place_run(&match.inserted, {match.change.positions.inserted_count(), 1, row});
  match.change.inserted_rows.push_back(row);
  match.change.positions.insert(count, 1);
  return match;
}

TEST(DenseReplacement, GivesTheSameRows) {
  std::mt19937_64 random(17);
  size_t rewritten_rows = 0;
  for (int i = 0; i < 500; ++i) {
    const uint64_t count = 1 + random() % 200;
    PartitionMatch match = random_match(random, count);
    const PartitionMatch before = match;
    LoadLimits limits;
    limits.encoded_rows = 1;
    limits.dense_rows = 1 + static_cast<uint32_t>(random() % 5);
    RewrittenRows rewritten;
    insert_dense_replacements(&match, limits, &rewritten);
    ASSERT_EQ(rows_after(match.change, count), rows_after(before.change, count));
    ASSERT_EQ(places_of(match), places_of(before));
    ASSERT_TRUE(std::is_sorted(match.change.positions.deleted.begin(), match.change.positions.deleted.end()));
    // A row that was replaced is found in the version after, and back, as before.
    for (uint64_t ordinal = 0; ordinal < count; ++ordinal) {
      const std::optional<uint64_t> after = rewritten.forward(match.change.positions, ordinal);
      ASSERT_EQ(after, before.change.positions.forward(ordinal));
      if (!after) continue;
      const PositionDelta::Origin origin = rewritten.backward(match.change.positions, *after);
      ASSERT_FALSE(origin.inserted);
      ASSERT_EQ(origin.index, ordinal);
    }
    rewritten.for_each([&](uint64_t ordinal, uint64_t) {
      ++rewritten_rows;
      ASSERT_TRUE(before.change.positions.replaces(ordinal));
    });
  }
  EXPECT_GT(rewritten_rows, 5'000u);
}

TEST(DenseReplacement, LeavesFewRowsAsTheyAre) {
  std::mt19937_64 random(18);
  PartitionMatch match = random_match(random, 300);
  const auto replaced = match.change.positions.replaced;
  LoadLimits limits;
  limits.encoded_rows = 10'000;
  limits.dense_rows = 2;
  RewrittenRows rewritten;
  insert_dense_replacements(&match, limits, &rewritten);
  EXPECT_TRUE(rewritten.empty());
  EXPECT_EQ(match.change.positions.replaced, replaced);
}

}  // namespace
}  // namespace idem
