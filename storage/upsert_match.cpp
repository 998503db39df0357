#include "storage/upsert_match.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <optional>

#include "common/error.h"
#include "common/hash.h"
#include "common/value_text.h"
#include "storage/keep_policy.h"
#include "storage/row_fold.h"
#include "storage/stored_rows.h"

namespace idem {

namespace {

constexpr uint32_t kFewRows = 16;  // up to so many rows of one time are compared in pairs, more are hashed

class PartitionMatcher {
 public:
  PartitionMatcher(const std::shared_ptr<const TableSchema>& schema, std::shared_ptr<const Partition> stored,
                   const OrderedBatch& batch, const OrderedBatch::Part& part, MatchMode mode);
  PartitionMatch run();
  std::optional<uint64_t> find(uint32_t place);
  void locate(std::vector<KeyMatch>* matches, uint32_t partition);

 private:
  // Rows of the batch with equal keys.
  struct Winner {
    uint32_t place = 0;  // of the last of them; its row is the content unless policies fold
    uint32_t first_place = 0;
    uint32_t matches = 0;      // stored rows with these keys, where they are counted first
    uint32_t first_match = 0;  // of them, in matches_
    bool matched = false;
  };
  struct Slot {
    uint32_t winner = 0;  // + 1; 0: free
    uint32_t tag = 0;     // of the hash, so that keys are compared only where they are likely the same
  };
  struct StoredMatch {
    uint32_t winner = 0;
    uint64_t ordinal = 0;
  };

  uint32_t row(uint32_t place) const { return batch_.row(place); }
  int64_t time(uint32_t place) const { return times_[row(place)]; }
  void match_by_time();
  void match_by_keys();
  uint32_t run_end(uint32_t place) const;
  uint32_t identical_rows(uint32_t place, uint64_t ordinal);
  void append_rest(uint32_t place);
  void match_run(uint32_t begin, uint32_t end, uint64_t stored_begin, uint64_t stored_end);
  void fold_run(uint32_t begin, uint32_t end);
  void add_rows(const Winner& winner, bool all);
  Winner* find_winner(uint64_t ordinal);
  void apply_collected();
  void apply_to_stored(const Winner& winner, uint64_t ordinal);
  void write_result(uint64_t ordinal);
  bool is_stored_tombstone(uint64_t ordinal);

  bool batch_keys_equal(uint32_t row_a, uint32_t row_b) const;
  bool stored_key_equal(uint32_t batch_row, uint32_t stored_row);
  uint64_t batch_hash(uint32_t batch_row) const;
  uint64_t stored_hash(uint32_t stored_row);
  void start_hash(uint32_t rows);
  int compare_with_stored(uint32_t place, uint64_t ordinal);
  uint64_t lower_bound_by_keys(uint32_t place, uint64_t from);

  bool equals_stored(uint32_t batch_row, uint32_t stored_row);
  void note_unchanged(uint64_t ordinal, uint32_t place, uint32_t count);
  void emit_insert(const Winner& winner, uint64_t before);
  void emit_insert_places(uint32_t begin, uint32_t end, uint64_t before);
  void add_inserted_row(uint32_t batch_row);
  [[noreturn]] void throw_duplicate(uint32_t batch_row) const;

  const TableSchema& schema_;
  const OrderedBatch& batch_;
  const OrderedBatch::Part part_;
  const MatchMode mode_;
  std::optional<StoredRows> stored_;
  uint64_t stored_count_ = 0;
  int64_t stored_max_ = 0;
  const int64_t* times_ = nullptr;
  std::vector<ColumnView> views_;  // of the batch, by column
  std::vector<uint32_t> keys_;     // key columns besides the designated timestamp
  PartitionMatch result_;
  std::optional<RowFold> fold_;  // where policies make the results
  bool contiguous_ = true;

  // Of the run of equal times (or keys) that is being matched.
  std::vector<Winner> winners_;
  uint32_t run_begin_ = 0;
  std::vector<uint32_t> next_place_;  // of the same keys, by place in the run; used where policies fold
  std::vector<uint32_t> winner_of_;   // by place in the run; used where keys are only looked up
  std::vector<Slot> slots_;           // by hash of keys
  size_t next_winner_ = 0;            // that the next stored row has the keys of, if both are in one order
  std::vector<StoredMatch> matches_;  // where several stored rows may have the keys of one
  bool looks_up_ = false;
  bool hashed_ = false;
};

PartitionMatcher::PartitionMatcher(const std::shared_ptr<const TableSchema>& schema,
                                   std::shared_ptr<const Partition> stored, const OrderedBatch& batch,
                                   const OrderedBatch::Part& part, MatchMode mode)
    : schema_(*schema), batch_(batch), part_(part), mode_(mode) {
  if (stored) {
    stored_count_ = stored->row_count;
    stored_max_ = stored->max_timestamp;
    stored_.emplace(std::move(stored), schema);
  }
  views_.reserve(schema_.columns.size());
  for (size_t i = 0; i < schema_.columns.size(); ++i) views_.emplace_back(batch.rows->column(i));
  if (schema_.has_timestamp()) {
    times_ = static_cast<const int64_t*>(views_[static_cast<size_t>(schema_.timestamp_column)].data);
  }
  for (const uint32_t key : schema_.upsert_keys) {
    if (static_cast<int>(key) != schema_.timestamp_column) keys_.push_back(key);
  }
  result_.change.start = part.start;
  if (!replaces_whole_rows(schema_) && schema_.has_keys() && mode_ == MatchMode::kUpsert)
    fold_.emplace(schema, batch.rows);
}

PartitionMatch PartitionMatcher::run() {
  if (!schema_.has_keys() || mode_ == MatchMode::kAsTheyAre) {
    if (!schema_.has_timestamp()) {
      emit_insert_places(part_.begin, part_.end, stored_count_);
    } else {
      uint64_t before = 0;
      for (uint32_t place = part_.begin; place < part_.end;) {
        if (stored_count_ == 0 || time(place) >= stored_max_) {
          emit_insert_places(place, part_.end, stored_count_);
          break;
        }
        before = stored_->upper_bound(time(place), before);
        // All rows of the batch up to the time of the stored row go before it.
        const int64_t next_time = stored_->timestamp(before);
        uint32_t end = place + 1;
        while (end < part_.end && time(end) < next_time) ++end;
        emit_insert_places(place, end, before);
        place = end;
      }
    }
  } else if (schema_.has_timestamp()) {
    match_by_time();
  } else {
    match_by_keys();
  }
  if (result_.change.positions.empty()) {
    result_.change.rows = nullptr;
  } else if (fold_) {
    fold_->finish(&result_.change);
  } else {
    result_.change.rows = batch_.rows;
  }
  return std::move(result_);
}

std::optional<uint64_t> PartitionMatcher::find(uint32_t place) {
  if (stored_count_ == 0) return std::nullopt;
  uint64_t begin = 0, end = 0;
  if (schema_.has_timestamp()) {
    begin = stored_->lower_bound(time(place), 0);
    end = stored_->upper_bound(time(place), begin);
  } else {
    begin = lower_bound_by_keys(place, 0);
    end = std::min(begin + 1, stored_count_);
  }
  for (uint64_t ordinal = begin; ordinal < end; ++ordinal) {
    stored_->move_to(ordinal);
    if (stored_key_equal(row(place), stored_->row_in_block(ordinal)) && !is_stored_tombstone(ordinal))
      return ordinal;
  }
  return std::nullopt;
}

bool PartitionMatcher::is_stored_tombstone(uint64_t ordinal) {
  if (schema_.deleted_column < 0) return false;
  stored_->move_to(ordinal);
  return RowFold::is_true(stored_->column(static_cast<uint32_t>(schema_.deleted_column)),
                          stored_->row_in_block(ordinal));
}

// As matching does, but only says what was found.
void PartitionMatcher::locate(std::vector<KeyMatch>* matches, uint32_t partition) {
  looks_up_ = true;
  uint64_t stored_at = 0;
  for (uint32_t place = part_.begin; place < part_.end;) {
    uint32_t end = place + 1;
    uint64_t stored_end = stored_count_;
    if (schema_.has_timestamp()) {
      end = run_end(place);
      if (stored_count_ > 0) {
        stored_at = stored_->lower_bound(time(place), stored_at);
        stored_end = stored_->upper_bound(time(place), stored_at);
      }
    } else {
      while (end < part_.end && batch_keys_equal(row(place), row(end))) ++end;
      stored_at = lower_bound_by_keys(place, stored_at);
      stored_end = stored_at;
      while (stored_end < stored_count_ && compare_with_stored(place, stored_end) == 0) ++stored_end;
    }
    fold_run(place, end);
    for (uint32_t p = place; p < end; ++p) {
      (*matches)[row(p)].first_row = row(winners_[winner_of_[p - place]].first_place);
    }
    for (uint64_t ordinal = stored_at; ordinal < stored_end; ++ordinal) {
      stored_->move_to(ordinal);
      Winner* winner = find_winner(ordinal);
      if (!winner || winner->matched || is_stored_tombstone(ordinal)) continue;
      winner->matched = true;
      (*matches)[row(winner->first_place)].stored = RowPosition{partition, ordinal};
    }
    for (uint32_t p = place; p < end; ++p) {
      KeyMatch& match = (*matches)[row(p)];
      match.stored = (*matches)[match.first_row].stored;
    }
    place = end;
    stored_at = stored_end;
  }
}

uint32_t PartitionMatcher::run_end(uint32_t place) const {
  const int64_t t = time(place);
  uint32_t end = place + 1;
  while (end < part_.end && time(end) == t) ++end;
  return end;
}

void PartitionMatcher::match_by_time() {
  uint64_t stored_at = 0;
  for (uint32_t place = part_.begin; place < part_.end;) {
    if (stored_count_ == 0 || time(place) > stored_max_) return append_rest(place);
    const int64_t t = time(place);
    stored_at = stored_->lower_bound(t, stored_at);
    if (mode_ == MatchMode::kUpsert && schema_.keys_unique && stored_->timestamp(stored_at) == t) {
      const uint32_t same = identical_rows(place, stored_at);
      if (same > 0) {
        note_unchanged(stored_at, place, same);
        result_.counts.skipped += same;
        place += same;
        stored_at += same;
        continue;
      }
    }
    const uint32_t end = run_end(place);
    const uint64_t stored_end = stored_->upper_bound(t, stored_at);
    match_run(place, end, stored_at, stored_end);
    place = end;
    stored_at = stored_end;
  }
}

// How many rows from `place` on equal the stored rows from `ordinal` on in every column, whole runs of one
// time only: a row further on in a run might have the keys of an earlier one.
uint32_t PartitionMatcher::identical_rows(uint32_t place, uint64_t ordinal) {
  uint32_t total = 0;
  while (place + total < part_.end && ordinal + total < stored_count_) {
    const uint32_t from = place + total;
    stored_->move_to(ordinal + total);
    const uint32_t stored_row = stored_->row_in_block(ordinal + total);
    const auto length =
        static_cast<uint32_t>(std::min<uint64_t>(stored_->block_end() - (ordinal + total), part_.end - from));
    uint32_t count = length;
    for (uint32_t c = 0; c < views_.size() && count > 0; ++c) {
      const ColumnView& stored = stored_->column(c);
      if (batch_.order.empty()) {
        count = identical_prefix(views_[c], from, stored, stored_row, count);
      } else {
        uint32_t same = 0;
        while (same < count && identical(views_[c], row(from + same), stored, stored_row + same)) ++same;
        count = same;
      }
    }
    total += count;
    if (count < length) break;
  }
  while (total > 0 && place + total < part_.end && time(place + total) == time(place + total - 1)) --total;
  return total;
}

// Rows after everything stored. Only neighbours can be duplicates of each other.
void PartitionMatcher::append_rest(uint32_t place) {
  uint32_t unique_begin = place;
  while (place < part_.end) {
    const bool next_is_equal = place + 1 < part_.end && time(place + 1) == time(place);
    if (!next_is_equal) {
      ++place;
      continue;
    }
    emit_insert_places(unique_begin, place, stored_count_);
    const uint32_t end = run_end(place);
    match_run(place, end, stored_count_, stored_count_);
    unique_begin = place = end;
  }
  emit_insert_places(unique_begin, place, stored_count_);
}

bool PartitionMatcher::batch_keys_equal(uint32_t row_a, uint32_t row_b) const {
  for (const uint32_t key : keys_) {
    if (!key_equal(views_[key], row_a, views_[key], row_b)) return false;
  }
  return true;
}

bool PartitionMatcher::stored_key_equal(uint32_t batch_row, uint32_t stored_row) {
  for (const uint32_t key : keys_) {
    if (!key_equal(views_[key], batch_row, stored_->column(key), stored_row)) return false;
  }
  return true;
}

uint64_t PartitionMatcher::batch_hash(uint32_t batch_row) const {
  uint64_t hash = 0;
  for (const uint32_t key : keys_) hash = hash_combine(hash, key_hash(views_[key], batch_row));
  return hash;
}

uint64_t PartitionMatcher::stored_hash(uint32_t stored_row) {
  uint64_t hash = 0;
  for (const uint32_t key : keys_) hash = hash_combine(hash, key_hash(stored_->column(key), stored_row));
  return hash;
}

void PartitionMatcher::start_hash(uint32_t rows) { slots_.assign(std::bit_ceil(size_t{rows} * 2), Slot()); }

// Leaves in winners_ one entry for each combination of keys among places [begin, end), in order of first
// appearance.
void PartitionMatcher::fold_run(uint32_t begin, uint32_t end) {
  winners_.clear();
  next_winner_ = 0;
  run_begin_ = begin;
  if (fold_) next_place_.assign(end - begin, UINT32_MAX);
  if (looks_up_) winner_of_.resize(end - begin);
  hashed_ = end - begin > kFewRows;
  if (hashed_) start_hash(end - begin);
  for (uint32_t place = begin; place < end; ++place) {
    const uint32_t batch_row = row(place);
    Winner* known = nullptr;
    if (hashed_) {
      const size_t mask = slots_.size() - 1;
      const uint64_t hash = batch_hash(batch_row);
      const auto tag = static_cast<uint32_t>(hash >> 32);
      size_t slot = hash & mask;
      while (slots_[slot].winner != 0 &&
             (slots_[slot].tag != tag ||
              !batch_keys_equal(row(winners_[slots_[slot].winner - 1].place), batch_row))) {
        slot = (slot + 1) & mask;
      }
      if (slots_[slot].winner != 0) {
        known = &winners_[slots_[slot].winner - 1];
      } else {
        slots_[slot] = {static_cast<uint32_t>(winners_.size()) + 1, tag};
      }
    } else {
      for (Winner& winner : winners_) {
        if (batch_keys_equal(row(winner.place), batch_row)) known = &winner;
      }
    }
    if (looks_up_) {
      winner_of_[place - begin] =
          static_cast<uint32_t>(known ? static_cast<size_t>(known - winners_.data()) : winners_.size());
    }
    if (!known) {
      winners_.push_back({place, place});
      continue;
    }
    if (mode_ == MatchMode::kMustBeNew) throw_duplicate(batch_row);
    ++result_.counts.skipped;
    if (fold_) next_place_[known->place - begin] = place;
    known->place = place;
  }
}

// Applies a winner's rows one by one, in their order, to the result that was begun. With versions the order
// matters: folding the batch's rows first would be another thing.
void PartitionMatcher::add_rows(const Winner& winner, bool all) {
  uint32_t place = winner.first_place;
  if (!all) place = next_place_[place - run_begin_];
  for (; place != UINT32_MAX; place = next_place_[place - run_begin_]) fold_->add_batch_row(row(place));
}

PartitionMatcher::Winner* PartitionMatcher::find_winner(uint64_t ordinal) {
  const uint32_t stored_row = stored_->row_in_block(ordinal);
  if (!hashed_) {
    for (Winner& winner : winners_) {
      if (stored_key_equal(row(winner.place), stored_row)) return &winner;
    }
    return nullptr;
  }
  // Devices mostly report in the same order each time: then nothing is looked up.
  if (next_winner_ < winners_.size() && stored_key_equal(row(winners_[next_winner_].place), stored_row)) {
    return &winners_[next_winner_++];
  }
  const size_t mask = slots_.size() - 1;
  const uint64_t hash = stored_hash(stored_row);
  const auto tag = static_cast<uint32_t>(hash >> 32);
  for (size_t slot = hash & mask; slots_[slot].winner != 0; slot = (slot + 1) & mask) {
    if (slots_[slot].tag != tag) continue;
    Winner& winner = winners_[slots_[slot].winner - 1];
    if (!stored_key_equal(row(winner.place), stored_row)) continue;
    next_winner_ = slots_[slot].winner;
    return &winner;
  }
  return nullptr;
}

// Places [begin, end) of one time (or of equal keys) against the stored rows of that time.
void PartitionMatcher::match_run(uint32_t begin, uint32_t end, uint64_t stored_begin, uint64_t stored_end) {
  fold_run(begin, end);
  // Rows stored before the table had its keys: what they make together must be known before it is written.
  const bool collects = fold_ && !schema_.keys_unique && stored_end - stored_begin > 1;
  matches_.clear();
  for (uint64_t ordinal = stored_begin; ordinal < stored_end; ++ordinal) {
    stored_->move_to(ordinal);
    Winner* winner = find_winner(ordinal);
    if (!winner) continue;
    if (mode_ == MatchMode::kMustBeNew && !is_stored_tombstone(ordinal)) throw_duplicate(row(winner->place));
    if (collects) {
      ++winner->matches;
      matches_.push_back({static_cast<uint32_t>(winner - winners_.data()), ordinal});
    } else if (winner->matched) {
      result_.change.positions.deleted.push_back(ordinal);
    } else {
      winner->matched = true;
      apply_to_stored(*winner, ordinal);
    }
  }
  if (collects) apply_collected();
  for (const Winner& winner : winners_) {
    if (!winner.matched) emit_insert(winner, stored_end);
  }
}

// Stored rows that have the keys of one new row become one, in the first's place.
void PartitionMatcher::apply_collected() {
  std::vector<StoredMatch> by_winner = matches_;
  std::stable_sort(by_winner.begin(), by_winner.end(),
                   [](const StoredMatch& a, const StoredMatch& b) { return a.winner < b.winner; });
  for (uint32_t i = static_cast<uint32_t>(by_winner.size()); i-- > 0;)
    winners_[by_winner[i].winner].first_match = i;
  std::vector<uint64_t> ordinals;
  for (const StoredMatch& match : matches_) {
    Winner& winner = winners_[match.winner];
    if (winner.matched) {
      result_.change.positions.deleted.push_back(match.ordinal);
      continue;
    }
    winner.matched = true;
    if (winner.matches == 1) {
      apply_to_stored(winner, match.ordinal);
      continue;
    }
    ordinals.clear();
    for (uint32_t i = 0; i < winner.matches; ++i)
      ordinals.push_back(by_winner[winner.first_match + i].ordinal);
    fold_->begin_with_stored_rows(&*stored_, ordinals);
    add_rows(winner, true);
    write_result(match.ordinal);
  }
}

void PartitionMatcher::note_unchanged(uint64_t ordinal, uint32_t place, uint32_t count) {
  add_place_run(&result_.unchanged, {ordinal, count, place});
}

bool PartitionMatcher::equals_stored(uint32_t batch_row, uint32_t stored_row) {
  for (uint32_t c = 0; c < views_.size(); ++c) {
    if (!identical(views_[c], batch_row, stored_->column(c), stored_row)) return false;
  }
  return true;
}

void PartitionMatcher::apply_to_stored(const Winner& winner, uint64_t ordinal) {
  stored_->move_to(ordinal);
  const uint32_t stored_row = stored_->row_in_block(ordinal), batch_row = row(winner.place);
  // All policies are idempotent: of one row that is stored already nothing else can come.
  const bool may_be_same = mode_ == MatchMode::kUpsert && (!fold_ || winner.place == winner.first_place);
  if (may_be_same && equals_stored(batch_row, stored_row)) {
    note_unchanged(ordinal, winner.first_place, 1);
    ++result_.counts.skipped;
    return;
  }
  if (fold_) {
    fold_->begin_with_stored_row(&*stored_, ordinal);
    add_rows(winner, true);
    return write_result(ordinal);
  }
  result_.change.positions.replaced.push_back(ordinal);
  result_.change.replaced_rows.push_back(batch_row);
  result_.replaced_places.push_back(winner.first_place);
  ++result_.counts.replaced;
}

// What policies made of a stored row and those of the batch, in the stored one's place.
void PartitionMatcher::write_result(uint64_t ordinal) {
  if (fold_->equals_stored()) {
    ++result_.counts.skipped;
    return;
  }
  MatchCounts& counts = result_.counts;
  ++(fold_->is_tombstone()         ? counts.deleted
     : fold_->began_as_tombstone() ? counts.inserted
                                   : counts.replaced);
  result_.change.positions.replaced.push_back(ordinal);
  result_.change.replaced_rows.push_back(fold_->take());
}

void PartitionMatcher::add_inserted_row(uint32_t batch_row) {
  PartitionChange& change = result_.change;
  const uint64_t count = change.positions.inserted_count();
  if (contiguous_) {
    if (count == 0) change.first_inserted = batch_row;
    if (batch_row == change.first_inserted + count) return;
    contiguous_ = false;
    change.inserted_rows.resize(count);
    for (uint32_t i = 0; i < count; ++i) change.inserted_rows[i] = change.first_inserted + i;
  }
  change.inserted_rows.push_back(batch_row);
}

void PartitionMatcher::emit_insert(const Winner& winner, uint64_t before) {
  uint32_t source = row(winner.place);
  bool is_tombstone = false;
  if (fold_) {
    fold_->begin_with_batch_row(row(winner.first_place));
    add_rows(winner, false);
    is_tombstone = fold_->is_tombstone();
    source = fold_->take();
  }
  add_place_run(&result_.inserted, {result_.change.positions.inserted_count(), 1, winner.first_place});
  add_inserted_row(source);
  result_.change.positions.insert(before, 1);
  ++(is_tombstone ? result_.counts.deleted : result_.counts.inserted);
}

void PartitionMatcher::emit_insert_places(uint32_t begin, uint32_t end, uint64_t before) {
  if (begin == end) return;
  PartitionChange& change = result_.change;
  add_place_run(&result_.inserted, {change.positions.inserted_count(), end - begin, begin});
  result_.counts.inserted += end - begin;
  if (fold_ && schema_.deleted_column >= 0) {
    const ColumnView& deleted = views_[static_cast<size_t>(schema_.deleted_column)];
    for (uint32_t place = begin; place < end; ++place) {
      if (!RowFold::is_true(deleted, row(place))) continue;
      ++result_.counts.deleted;
      --result_.counts.inserted;
    }
  }
  if (batch_.order.empty() && contiguous_) {
    const uint64_t count = change.positions.inserted_count();
    if (count == 0) change.first_inserted = begin;
    if (change.first_inserted + count == begin) {
      change.positions.insert(before, end - begin);
      return;
    }
  }
  for (uint32_t place = begin; place < end; ++place) {
    add_inserted_row(row(place));
    change.positions.insert(before, 1);
  }
}

int PartitionMatcher::compare_with_stored(uint32_t place, uint64_t ordinal) {
  stored_->move_to(ordinal);
  const uint32_t stored_row = stored_->row_in_block(ordinal);
  for (const uint32_t key : keys_) {
    const int c = key_compare(views_[key], row(place), stored_->column(key), stored_row);
    if (c != 0) return c;
  }
  return 0;
}

// The first stored row at or after `from` whose keys are not below those of a place. Doubles its steps, so
// that few blocks are decoded where the batch is dense and log n where it is sparse.
uint64_t PartitionMatcher::lower_bound_by_keys(uint32_t place, uint64_t from) {
  if (from >= stored_count_ || compare_with_stored(place, from) <= 0) return from;
  uint64_t low = from, step = 1;  // stored[low] < keys
  while (low + step < stored_count_ && compare_with_stored(place, low + step) > 0) {
    low += step;
    step *= 2;
  }
  uint64_t high = std::min(low + step, stored_count_);
  ++low;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (compare_with_stored(place, middle) > 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void PartitionMatcher::match_by_keys() {
  uint64_t stored_at = 0;
  for (uint32_t place = part_.begin; place < part_.end;) {
    uint32_t end = place + 1;
    while (end < part_.end && batch_keys_equal(row(place), row(end))) ++end;
    stored_at = lower_bound_by_keys(place, stored_at);
    uint64_t stored_end = stored_at;
    while (stored_end < stored_count_ && compare_with_stored(place, stored_end) == 0) ++stored_end;
    match_run(place, end, stored_at, stored_end);
    place = end;
    stored_at = stored_end;
  }
}

void PartitionMatcher::throw_duplicate(uint32_t batch_row) const {
  std::string names, values;
  for (const uint32_t key : schema_.upsert_keys) {
    if (!names.empty()) {
      names += ", ";
      values += ", ";
    }
    names += schema_.columns[key].name;
    const BatchColumn& column = batch_.rows->column(key);
    if (column.is_null(batch_row)) {
      values += "null";
    } else if (column.type().id == TypeId::kSymbol) {
      values += column.string_at(batch_row);
    } else {
      const auto* elements = static_cast<const std::byte*>(column.data());
      append_text(values, column.type(),
                  elements + size_t{batch_row} * physical_size(physical_type(column.type())), {});
    }
  }
  throw sql_error(sqlstate::kUniqueViolation, "duplicate key value violates the upsert keys of \"{}\"",
                  schema_.name)
      .with_detail(fmt::format("Key ({})=({}) already exists.", names, values));
}

}  // namespace

void add_place_run(std::vector<PlaceRun>* runs, PlaceRun run) {
  if (!runs->empty()) {
    PlaceRun& last = runs->back();
    if (last.first + last.count == run.first && last.place + last.count == run.place) {
      last.count += run.count;
      return;
    }
  }
  runs->push_back(run);
}

PartitionMatch match_part(const std::shared_ptr<const TableSchema>& schema,
                          std::shared_ptr<const Partition> stored, const OrderedBatch& batch,
                          const OrderedBatch::Part& part, MatchMode mode) {
  return PartitionMatcher(schema, std::move(stored), batch, part, mode).run();
}

std::vector<KeyMatch> match_keys(const TableVersion& version, std::shared_ptr<const ColumnBatch> rows) {
  std::vector<KeyMatch> matches(rows->rows());
  const OrderedBatch batch = order_batch(*version.schema, std::move(rows));
  for (const OrderedBatch::Part& part : batch.parts) {
    const int index = version.find_partition(part.start);
    const auto partition = static_cast<uint32_t>(std::max(index, 0));
    PartitionMatcher(version.schema, index < 0 ? nullptr : version.partitions[partition], batch, part,
                     MatchMode::kUpsert)
        .locate(&matches, partition);
  }
  return matches;
}

std::optional<uint64_t> find_by_keys(const std::shared_ptr<const TableSchema>& schema,
                                     std::shared_ptr<const Partition> stored,
                                     const std::shared_ptr<const ColumnBatch>& rows, uint32_t row) {
  OrderedBatch batch;
  batch.rows = rows;
  const OrderedBatch::Part part{stored ? stored->start : INT64_MIN, row, row + 1};
  return PartitionMatcher(schema, std::move(stored), batch, part, MatchMode::kUpsert).find(row);
}

}  // namespace idem
