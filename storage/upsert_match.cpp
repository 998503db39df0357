#include "storage/upsert_match.h"

#include <algorithm>
#include <optional>

#include "common/error.h"
#include "common/value_text.h"
#include "storage/keep_policy.h"
#include "storage/key_groups.h"
#include "storage/row_fold.h"
#include "storage/stored_rows.h"

namespace idem {

namespace {

class PartitionMatcher {
 public:
  PartitionMatcher(const std::shared_ptr<const TableSchema>& schema, std::shared_ptr<const Partition> stored,
                   const OrderedBatch& batch, const OrderedBatch::Part& part, MatchMode mode);
  PartitionMatch run();

 private:
  using Group = KeyGroups::Group;
  struct StoredMatch {
    uint32_t group = 0;
    uint64_t ordinal = 0;
  };

  uint32_t row(uint32_t place) const { return batch_.row(place); }
  int64_t time(uint32_t place) const { return times_[row(place)]; }
  void match_by_time();
  void match_by_keys();
  uint32_t run_end(uint32_t place) const;
  uint32_t identical_rows(uint32_t place, uint64_t ordinal);
  void append_rest(uint32_t place);
  bool is_in_stored_order(uint32_t begin, uint32_t end, uint64_t ordinal);
  void match_run(uint32_t begin, uint32_t end, uint64_t stored_begin, uint64_t stored_end);
  void add_rows(const Group& group, bool all);
  void apply_collected();
  void apply_to_stored(const Group& group, uint64_t ordinal);
  void write_result(uint64_t ordinal);
  bool is_stored_tombstone(uint64_t ordinal);

  bool equals_stored(uint32_t batch_row, uint32_t stored_row);
  void note_unchanged(uint64_t ordinal, uint32_t place, uint32_t count);
  void emit_insert(const Group& group, uint64_t before);
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
  std::optional<UpsertKeys> keys_;
  std::optional<KeyGroups> run_;  // of equal times (or keys) that is being matched
  PartitionMatch result_;
  std::optional<RowFold> fold_;  // where policies make the results
  bool contiguous_ = true;
  std::vector<StoredMatch> matches_;  // of the run, where several stored rows may have the keys of one
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
  keys_.emplace(schema_, *batch.rows, stored_ ? &*stored_ : nullptr);
  run_.emplace(*keys_, batch);
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

bool PartitionMatcher::is_stored_tombstone(uint64_t ordinal) {
  if (schema_.deleted_column < 0) return false;
  stored_->move_to(ordinal);
  return RowFold::is_true(stored_->column(static_cast<uint32_t>(schema_.deleted_column)),
                          stored_->row_in_block(ordinal));
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
  constexpr uint32_t kFirstStep = 4, kStepGrowth = 8;
  uint32_t total = 0,
           step = kFirstStep;  // small at first: where all rows are replaced, the first one differs
  while (place + total < part_.end && ordinal + total < stored_count_) {
    const uint32_t from = place + total;
    stored_->move_to(ordinal + total);
    const uint32_t stored_row = stored_->row_in_block(ordinal + total);
    const auto length = static_cast<uint32_t>(
        std::min<uint64_t>({step, stored_->block_end() - (ordinal + total), part_.end - from}));
    step = std::min(step * kStepGrowth, kVectorSize);
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

// Applies a group's rows one by one, in their order, to the result that was begun. With versions the order
// matters: folding the batch's rows first would be another thing.
void PartitionMatcher::add_rows(const Group& group, bool all) {
  uint32_t place = group.first_place;
  if (!all) place = run_->next_place(place);
  for (; place != KeyGroups::kNoPlace; place = run_->next_place(place)) fold_->add_batch_row(row(place));
}

// Whether the rows at places [begin, end) have the keys of the stored rows from `ordinal` on, one by one.
bool PartitionMatcher::is_in_stored_order(uint32_t begin, uint32_t end, uint64_t ordinal) {
  for (uint32_t place = begin; place < end;) {
    stored_->move_to(ordinal);
    const auto count = static_cast<uint32_t>(std::min<uint64_t>(stored_->block_end() - ordinal, end - place));
    if (!keys_->equal_stored(batch_, place, stored_->row_in_block(ordinal), count)) return false;
    place += count;
    ordinal += count;
  }
  return true;
}

// Places [begin, end) of one time (or of equal keys) against the stored rows of that time.
void PartitionMatcher::match_run(uint32_t begin, uint32_t end, uint64_t stored_begin, uint64_t stored_end) {
  // Devices mostly report in the same order each time. What is stored has no key twice, so the batch has none.
  if (mode_ == MatchMode::kUpsert && schema_.keys_unique && stored_end - stored_begin == end - begin &&
      is_in_stored_order(begin, end, stored_begin)) {
    run_->expect_distinct(begin, end);
    for (uint32_t place = begin; place < end; ++place)
      apply_to_stored({place, place}, stored_begin + (place - begin));
    return;
  }
  run_->collect(begin, end);
  std::vector<Group>& groups = run_->groups();
  if (mode_ == MatchMode::kMustBeNew && run_->first_repeated()) throw_duplicate(row(*run_->first_repeated()));
  result_.counts.skipped += end - begin - groups.size();
  // Rows stored before the table had its keys: what they make together must be known before it is written.
  const bool collects = fold_ && !schema_.keys_unique && stored_end - stored_begin > 1;
  matches_.clear();
  for (uint64_t ordinal = stored_begin; ordinal < stored_end; ++ordinal) {
    stored_->move_to(ordinal);
    Group* group = run_->group_of_stored(stored_->row_in_block(ordinal));
    if (!group) continue;
    if (mode_ == MatchMode::kMustBeNew && !is_stored_tombstone(ordinal))
      throw_duplicate(row(group->last_place));
    if (collects) {
      ++group->matches;
      matches_.push_back({static_cast<uint32_t>(group - groups.data()), ordinal});
    } else if (group->matched) {
      result_.change.positions.deleted.push_back(ordinal);
    } else {
      group->matched = true;
      apply_to_stored(*group, ordinal);
    }
  }
  if (collects) apply_collected();
  if (stored_begin == stored_end && groups.size() == end - begin)
    return emit_insert_places(begin, end, stored_end);
  for (const Group& group : groups) {
    if (!group.matched) emit_insert(group, stored_end);
  }
}

// Stored rows that have the keys of one new row become one, in the first's place.
void PartitionMatcher::apply_collected() {
  std::vector<Group>& groups = run_->groups();
  std::vector<StoredMatch> by_group = matches_;
  std::stable_sort(by_group.begin(), by_group.end(),
                   [](const StoredMatch& a, const StoredMatch& b) { return a.group < b.group; });
  for (uint32_t i = static_cast<uint32_t>(by_group.size()); i-- > 0;)
    groups[by_group[i].group].first_match = i;
  std::vector<uint64_t> ordinals;
  for (const StoredMatch& match : matches_) {
    Group& group = groups[match.group];
    if (group.matched) {
      result_.change.positions.deleted.push_back(match.ordinal);
      continue;
    }
    group.matched = true;
    if (group.matches == 1) {
      apply_to_stored(group, match.ordinal);
      continue;
    }
    ordinals.clear();
    for (uint32_t i = 0; i < group.matches; ++i) ordinals.push_back(by_group[group.first_match + i].ordinal);
    fold_->begin_with_stored_rows(&*stored_, ordinals);
    add_rows(group, true);
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

void PartitionMatcher::apply_to_stored(const Group& group, uint64_t ordinal) {
  stored_->move_to(ordinal);
  const uint32_t stored_row = stored_->row_in_block(ordinal), batch_row = row(group.last_place);
  // All policies are idempotent: of one row that is stored already nothing else can come.
  const bool may_be_same = mode_ == MatchMode::kUpsert && (!fold_ || group.last_place == group.first_place);
  if (may_be_same && equals_stored(batch_row, stored_row)) {
    note_unchanged(ordinal, group.first_place, 1);
    ++result_.counts.skipped;
    return;
  }
  if (fold_) {
    fold_->begin_with_stored_row(&*stored_, ordinal);
    add_rows(group, true);
    return write_result(ordinal);
  }
  result_.change.positions.replaced.push_back(ordinal);
  result_.change.replaced_rows.push_back(batch_row);
  result_.replaced_places.push_back(group.first_place);
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

void PartitionMatcher::emit_insert(const Group& group, uint64_t before) {
  uint32_t source = row(group.last_place);
  bool is_tombstone = false;
  if (fold_) {
    fold_->begin_with_batch_row(row(group.first_place));
    add_rows(group, false);
    is_tombstone = fold_->is_tombstone();
    source = fold_->take();
  }
  add_place_run(&result_.inserted, {result_.change.positions.inserted_count(), 1, group.first_place});
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

void PartitionMatcher::match_by_keys() {
  uint64_t stored_at = 0;
  for (uint32_t place = part_.begin; place < part_.end;) {
    uint32_t end = place + 1;
    while (end < part_.end && keys_->equal(row(place), row(end))) ++end;
    const UpsertKeys::Range stored = keys_->stored_rows_of(row(place), stored_at);
    match_run(place, end, stored.begin, stored.end);
    place = end;
    stored_at = stored.end;
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

}  // namespace idem
