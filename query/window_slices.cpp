#include "query/window_slices.h"

#include <algorithm>
#include <array>

#include "query/key_bits.h"

namespace idem {

// Beside the rows at hand: ids, changes, peers.
constexpr uint64_t kBytesPerRow = sizeof(uint32_t) + sizeof(RowChange) + 2 * sizeof(size_t);

// Rows of the runs in order, as many at a time as are wanted, with what changes at each.
class WindowSlices::Reader {
 public:
  Reader(const Spec& spec, const ExecutionContext& context)
      : spec_(spec), stream_(spec.runs->open(context, spec.columns)) {}

  uint64_t rows_read() const { return rows_read_; }
  bool at_end() { return at_ == chunk_.size && !next_chunk(); }
  bool at_partition() { return !at_end() && chunk_changes_[at_] == RowChange::kHead; }

  void skip(uint64_t rows) {
    while (rows > 0 && !at_end()) {
      const auto count = static_cast<uint32_t>(std::min<uint64_t>(rows, chunk_.size - at_));
      at_ += count;
      rows_read_ += count;
      rows -= count;
    }
  }

  // Appends up to `most` rows. `within_partition`: none of the next one.
  void read(size_t most, bool within_partition, RowStore& rows, std::vector<RowChange>& changes) {
    size_t read = 0;
    while (read < most && !at_end()) {
      auto count = static_cast<uint32_t>(std::min<size_t>(most - read, chunk_.size - at_));
      if (within_partition) count = rows_before_head(count, read > 0);
      if (count == 0) return;
      std::array<uint16_t, kVectorSize> places;
      for (uint32_t i = 0; i < count; ++i) places[i] = static_cast<uint16_t>(at_ + i);
      rows.append(chunk_.columns, {places.data(), count});
      changes.insert(changes.end(), chunk_changes_.begin() + at_, chunk_changes_.begin() + at_ + count);
      at_ += count;
      read += count;
      rows_read_ += count;
    }
  }

 private:
  // Of the next `count` rows; the first one may be the partition's own head.
  uint32_t rows_before_head(uint32_t count, bool in_partition) const {
    for (uint32_t i = in_partition ? 0 : 1; i < count; ++i) {
      if (chunk_changes_[at_ + i] == RowChange::kHead) return i;
    }
    return count;
  }

  bool next_chunk() {
    while (morsel_ <= spec_.runs->morsel_count()) {
      if (morsel_ > 0 && stream_->next(&chunk_)) {
        at_ = 0;
        note_changes();
        return true;
      }
      if (morsel_ < spec_.runs->morsel_count()) stream_->begin(morsel_);
      ++morsel_;
    }
    chunk_.set_size(0);
    at_ = 0;
    return false;
  }

  void note_changes() {
    chunk_changes_.clear();
    for (uint32_t row = 0; row < chunk_.size; ++row) {
      const bool head = is_new(spec_.partition_columns, row, &last_partition_);
      const bool tail = is_new(spec_.order_columns, row, &last_order_);
      chunk_changes_.push_back(is_first_ || head ? RowChange::kHead
                               : tail            ? RowChange::kTail
                                                 : RowChange::kNone);
      is_first_ = false;
    }
  }
  bool is_new(const std::vector<uint32_t>& columns, uint32_t row, std::vector<char>* last) {
    key_.clear();
    for (const uint32_t column : columns) append_key_bytes(key_, chunk_.columns[column], row);
    if (key_ == *last) return false;
    key_.swap(*last);
    return true;
  }

  const Spec& spec_;
  const std::unique_ptr<MorselStream> stream_;
  size_t morsel_ = 0;  // the next to begin
  DataChunk chunk_;
  std::vector<RowChange> chunk_changes_;
  uint32_t at_ = 0;
  uint64_t rows_read_ = 0;
  std::vector<char> key_, last_partition_, last_order_;
  bool is_first_ = true;
};

WindowSlices::WindowSlices(Spec spec, const ExecutionContext& context)
    : spec_(std::move(spec)),
      context_(context),
      slice_bytes_(SpillLimit(context).part_bytes() / 8),
      reader_(std::make_unique<Reader>(spec_, context)),
      rows_(RowStore::make(spec_.types, context.memory)),
      memory_(context.memory),
      results_(spec_.windows.size()),
      result_ids_(spec_.windows.size()) {
  for (Window& window : spec_.windows) {
    window.input.rows = rows_.get();
    window.input.ids = &ids_;
  }
  functions_ = make_functions();
}

WindowSlices::~WindowSlices() = default;

WindowSlices::Functions WindowSlices::make_functions() const {
  Functions functions;
  for (const Window& window : spec_.windows) functions.push_back(WindowFunction::make(window.input));
  return functions;
}

bool WindowSlices::next(DataChunk* chunk) {
  while (out_ == out_end_) {
    if (!compute()) return false;
  }
  const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, out_end_ - out_));
  chunk->columns.resize(spec_.columns + results_.size());
  for (size_t c = 0; c < spec_.columns; ++c)
    rows_->gather(c, ids_.data() + out_, count, false, &chunk->columns[c]);
  for (size_t w = 0; w < results_.size(); ++w) {
    results_[w]->gather(0, result_ids_[w].data() + (out_ - out_begin_), count, false,
                        &chunk->columns[spec_.columns + w]);
  }
  chunk->set_size(count);
  out_ += count;
  return true;
}

// Values of more rows, of those at hand if possible. What was put out last has been read.
bool WindowSlices::compute() {
  if (context_.cancel) context_.cancel->check();
  if (!large_.empty()) {
    if (compute_part(reader_->at_end() || reader_->at_partition())) return true;
    let_leave();
    fill();
    return true;
  }
  drop(out_end_);
  out_begin_ = out_ = out_end_ = 0;
  if (ids_.empty() && reader_->at_end()) return false;
  fill();
  // The partitions that are whole at hand; the last one may go on.
  size_t end = ids_.size();
  if (!reader_->at_end() && !reader_->at_partition()) {
    while (changes_[--end] != RowChange::kHead) {}
  }
  if (end > 0) {
    compute_whole_partitions(end);
  } else {
    begin_large_partition();
  }
  return true;
}

void WindowSlices::compute_whole_partitions(size_t end) {
  begin_results();
  partition_ = PartitionRows();
  for (size_t begin = 0; begin < end;) {
    const size_t next = partition_end(begin);
    partition_.set_places(begin, next, changes_);
    partition_.first = begin;
    partition_.last = next;
    partition_.rows = next - begin;
    run(functions_);
    begin = next;
  }
  end_results(0, end);
}

void WindowSlices::begin_large_partition() {
  partition_ = PartitionRows();
  partition_.rows = PartitionRows::kUnknown;
  large_ = make_functions();
  const bool needs_all_rows = std::any_of(spec_.windows.begin(), spec_.windows.end(),
                                          [](const Window& w) { return w.reach.needs_all_rows(); });
  if (needs_all_rows) see_all_rows();
}

// The pass over all rows of the large partition at hand.
void WindowSlices::see_all_rows() {
  if (!ahead_) ahead_ = std::make_unique<Reader>(spec_, context_);
  ahead_->skip(rows_left_ - ahead_->rows_read());
  uint64_t rows = 0;
  std::vector<uint32_t> ids;
  std::vector<RowChange> changes;
  do {
    const auto slice = RowStore::make(spec_.types, context_.memory);
    changes.clear();
    ahead_->read(slice_rows_, true, *slice, changes);
    slice->seal();
    ids.clear();
    slice->all_ids(&ids);
    rows += ids.size();
    for (size_t w = 0; w < large_.size(); ++w) {
      if (spec_.windows[w].reach.needs_all_rows()) large_[w]->see_slice(*slice, ids);
    }
  } while (!ahead_->at_end() && !ahead_->at_partition());
  for (size_t w = 0; w < large_.size(); ++w) {
    if (!spec_.windows[w].reach.needs_all_rows()) continue;
    large_[w]->seen_all();
    large_[w]->move_to(*rows_, ids_);
  }
  partition_.rows = rows;
}

// Values of the large partition's rows at hand, as far as what they need is there too. False: of none.
bool WindowSlices::compute_part(bool is_last) {
  const size_t first = out_end_, end = ids_.size();
  partition_.set_places(0, end, changes_);
  size_t last = end;
  if (is_last) {
    partition_.rows = partition_.number(end);
  } else {
    // What a row needs does not end before what the row before it needs. One row stays: the next part begins with it.
    size_t high = end - 1;
    last = first;
    while (last < high) {
      const size_t middle = last + (high - last) / 2;
      const bool is_there = std::all_of(spec_.windows.begin(), spec_.windows.end(),
                                        [&](const Window& w) { return last_needed(w, middle) < end; });
      if (is_there) {
        last = middle + 1;
      } else {
        high = middle;
      }
    }
  }
  if (last <= first) return false;
  begin_results();
  partition_.first = first;
  partition_.last = last;
  run(large_);
  has_run_ = true;
  end_results(first, last);
  if (is_last) large_.clear();
  return true;
}

void WindowSlices::run(Functions& functions) {
  for (size_t w = 0; w < functions.size(); ++w) functions[w]->run(partition_, *results_[w]);
}

void WindowSlices::begin_results() {
  for (size_t w = 0; w < results_.size(); ++w)
    results_[w] = RowStore::make({result_type(*spec_.windows[w].window)}, context_.memory);
}

void WindowSlices::end_results(size_t begin, size_t end) {
  for (size_t w = 0; w < results_.size(); ++w) {
    results_[w]->seal();
    result_ids_[w].clear();
    results_[w]->all_ids(&result_ids_[w]);
  }
  out_begin_ = out_ = begin;
  out_end_ = end;
}

size_t WindowSlices::partition_end(size_t begin) const {
  const auto next =
      std::find(changes_.begin() + static_cast<ptrdiff_t>(begin) + 1, changes_.end(), RowChange::kHead);
  return static_cast<size_t>(next - changes_.begin());
}

PartitionFrames WindowSlices::frames_of(const Window& window) const {
  return {*window.window,
          *window.input.offsets,
          *rows_,
          ids_,
          partition_.begin,
          partition_.end,
          window.input.order_column,
          partition_.peer_begin,
          partition_.peer_end};
}

// The last place that the value of a row depends on, if the partition goes on for long enough.
size_t WindowSlices::last_needed(const Window& window, size_t place) const {
  const WindowReach& reach = window.reach;
  size_t last = place + std::min(reach.rows_behind, SIZE_MAX - place);
  if (reach.peers) last = std::max(last, partition_.peer_end[place]);
  if (!reach.frame) return last;
  const PartitionFrames frames = frames_of(window);
  last = std::max(last, frames.start_of(place));
  return reach.to_end ? last : std::max(last, frames.end_of(place));
}

// The first place at hand that the values of this row and later ones depend on.
size_t WindowSlices::first_needed(const Window& window, size_t place) const {
  const WindowReach& reach = window.reach;
  size_t first = place - std::min(reach.rows_before, place);
  if (reach.peers) first = std::min(first, partition_.peer_begin[place]);
  if (!reach.frame) return first;
  const PartitionFrames frames = frames_of(window);
  if (!reach.from_start) return std::min(first, frames.start_of(place));
  // The last row of a frame stays, that it may not be empty.
  return reach.to_end ? first : std::min(first, std::max(frames.end_of(place), size_t{1}) - 1);
}

// Rows of the large partition at hand that no further row needs. The functions have seen them.
void WindowSlices::let_leave() {
  if (!has_run_) return;
  size_t needed = out_end_;
  for (const Window& window : spec_.windows) needed = std::min(needed, first_needed(window, out_end_));
  if (needed == 0) return;
  for (const auto& function : large_) function->leave(partition_, needed);
  const size_t peer = partition_.peer_begin[needed];
  partition_.peers_before = peer == needed ? 0 : needed - peer + (peer == 0 ? partition_.peers_before : 0);
  partition_.rows_before += needed;
  drop(needed);
  out_end_ -= needed;
  out_begin_ = out_ = out_end_;
}

// Reads a slice of rows, of a large partition; else so many that a slice is at hand.
void WindowSlices::fill() {
  if (slice_rows_ == 0) {
    while (!reader_->at_end() && rows_->memory_bytes() < slice_bytes_)
      reader_->read(kVectorSize, false, *rows_, changes_);
    slice_rows_ = std::max<size_t>(changes_.size(), 1);
  } else {
    reader_->read(large_.empty() ? slice_rows_ - ids_.size() : slice_rows_, !large_.empty(), *rows_,
                  changes_);
  }
  rows_->seal();
  ids_.clear();
  rows_->all_ids(&ids_);
  memory_.set(ids_.size() * kBytesPerRow);
  has_run_ = false;
}

// The first rows at hand leave.
void WindowSlices::drop(size_t count) {
  if (count == 0) return;
  rows_left_ += count;
  auto rest = RowStore::make(spec_.types, context_.memory);
  DataChunk chunk;
  for (size_t first = count; first < ids_.size(); first += kVectorSize) {
    rows_->gather(ids_.data() + first,
                  static_cast<uint32_t>(std::min<size_t>(kVectorSize, ids_.size() - first)), &chunk);
    rest->append(chunk);
  }
  rows_ = std::move(rest);
  changes_.erase(changes_.begin(), changes_.begin() + static_cast<ptrdiff_t>(count));
  ids_.clear();
  rows_->all_ids(&ids_);
  for (Functions* functions : {&functions_, &large_}) {
    for (const auto& function : *functions) function->move_to(*rows_, ids_);
  }
  for (Window& window : spec_.windows) window.input.rows = rows_.get();
}

}  // namespace idem
