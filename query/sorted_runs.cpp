#include "query/sorted_runs.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "common/array_value.h"
#include "common/worker_pool.h"
#include "query/sort_ordinal.h"
#include "query/sort_threshold.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

constexpr size_t kMostBounds = kVectorSize;  // of morsels
constexpr uint64_t kMorselRows =
    RowStore::kSegmentRows;  // less where memory is little, more where runs are many
constexpr uint32_t kLeastBlockRows = 16;

uint32_t block_rows_for(uint64_t bytes, uint64_t rows, uint64_t block_bytes) {
  const uint64_t width = std::max<uint64_t>(bytes / std::max<uint64_t>(rows, 1), 1);
  return static_cast<uint32_t>(std::clamp<uint64_t>(block_bytes / width, kLeastBlockRows, kVectorSize));
}

// The value of a row in the layout of `*type`; symbols as strings.
const void* element_of(const Vector& vector, uint32_t row, SqlType* type, std::string_view* text) {
  const uint32_t at = vector.is_constant() ? 0 : row;
  if (vector.dictionary) {
    *type = TypeId::kVarchar;
    *text = vector.dictionary->at(vector.values<int32_t>()[at]);
    return text;
  }
  *type = vector.type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : vector.type;
  return static_cast<const char*>(vector.data) + at * physical_size(physical_type(*type));
}

std::string_view text_of(const Vector& vector, uint32_t row) {
  if (!vector.is_valid(row)) return {};
  SqlType type;
  std::string_view text;
  return *static_cast<const std::string_view*>(element_of(vector, row, &type, &text));
}

// Whether the values are texts that are ordered by their bytes.
bool is_text(const Vector& vector) {
  return vector.dictionary ||
         (physical_type(vector.type) == PhysicalType::kString && ordinal_of(vector.type) != Ordinal::kNone);
}

// Calls fn(row, text) for each row that is not NULL.
template <class F>
void for_texts(const Vector& vector, uint32_t rows, F&& fn) {
  for (uint32_t i = 0; i < rows; ++i) {
    if (vector.is_valid(i)) fn(i, text_of(vector, i));
  }
}

// A number for each value in the ascending order of its type; 0 for NULL. All texts begin with the same `skipped` bytes.
void read_ordinals(const Vector& vector, uint32_t rows, size_t skipped, std::vector<uint64_t>* out) {
  out->assign(rows, 0);
  if (is_text(vector)) {
    return for_texts(vector, rows,
                     [&](uint32_t i, std::string_view text) { (*out)[i] = string_prefix(text, skipped); });
  }
  if (vector.type.id == TypeId::kSymbol) return;
  visit_ordinals(vector.type, [&](auto* tag, auto&& number) {
    const auto* values = vector.values<std::remove_pointer_t<decltype(tag)>>();
    for (uint32_t i = 0; i < rows; ++i) {
      if (vector.is_valid(i)) (*out)[i] = number(values[i]);
    }
  });
}

}  // namespace

struct SortedRuns::Run {
  std::shared_ptr<SpillFile> file;
  std::vector<SpillBlock> blocks;
  std::shared_ptr<RowStore> first_keys;  // the sort columns of each block's first row
  uint64_t rows = 0;
  bool first_has_nulls = false;
  std::optional<std::string> common;  // what the texts of the first sort column begin with
};

// Where a morsel begins: before the first row of a block of one run, and what that means for the others.
struct SortedRuns::Bound {
  DataChunk keys;  // one row
  size_t run = 0;
  std::vector<size_t> blocks;  // of each run: how many have their first row before the bound
};

// Writes rows that come in order as one run.
class SortedRuns::RunWriter {
 public:
  RunWriter(const SortedRuns& runs, std::shared_ptr<SpillFile> file)
      : runs_(runs), run_(std::make_shared<Run>()) {
    std::vector<SqlType> key_types;
    for (const SortColumn& column : runs.columns_) key_types.push_back(runs.types_[column.column]);
    run_->first_keys = RowStore::make(std::move(key_types), nullptr);  // SortedRuns counts them
    run_->file = std::move(file);
  }

  void write(const DataChunk& rows) {
    run_->blocks.push_back(run_->file->write(rows.columns, rows.selection, scratch_));
    run_->first_keys->append(runs_.keys_of(rows).columns, {nullptr, 1});
    run_->rows += rows.count();
    if (runs_.columns_.empty()) return;
    const Vector& first = rows.columns[runs_.columns_[0].column];
    run_->first_has_nulls |= first.may_have_nulls();
    if (is_text(first)) add_texts(first, rows.size);
  }
  RunPtr finish() {
    run_->first_keys->seal();
    return std::move(run_);
  }

 private:
  void add_texts(const Vector& vector, uint32_t rows) {
    CommonBeginning common;
    if (run_->common) common.add(*run_->common);
    bool any = run_->common.has_value();
    for_texts(vector, rows, [&](uint32_t, std::string_view text) {
      common.add(text);
      any = true;
    });
    if (any) run_->common = std::string(common.text());
  }

  const SortedRuns& runs_;
  RunPtr run_;
  SpillFile::Scratch scratch_;
};

SortedRuns::SortedRuns(std::vector<SqlType> types, std::vector<SortColumn> columns, size_t head,
                       size_t ranges, const ExecutionContext& context)
    : types_(std::move(types)),
      columns_(std::move(columns)),
      at_heads_(head > 0),
      head_(at_heads_ ? head : columns_.size()),
      limit_(context),
      folder_(*temporary_folder(context)),
      file_(std::make_shared<SpillFile>(folder_, types_)),
      ranges_(ranges) {}

SortedRuns::~SortedRuns() = default;

DataChunk SortedRuns::keys_of(const DataChunk& rows) const {
  DataChunk keys;
  for (const SortColumn& column : columns_) keys.columns.push_back(rows.columns[column.column]);
  keys.set_size(rows.size);
  return keys;
}

void SortedRuns::add(size_t range, RowStore& rows, const ExecutionContext& context) {
  if (rows.rows() == 0) return;
  rows.seal();
  const uint32_t block_rows = block_rows_for(rows.memory_bytes(), rows.rows(), limit_.block_bytes());
  std::vector<uint32_t> ids;
  rows.all_ids(&ids);
  ExecutionContext alone = context;
  alone.workers = nullptr;
  RowSorter(rows, columns_).sort(&ids, alone);
  RunWriter writer(*this, file_);
  DataChunk chunk;
  for (size_t first = 0; first < ids.size(); first += block_rows) {
    if (context.cancel) context.cancel->check();
    rows.gather(ids.data() + first, static_cast<uint32_t>(std::min<size_t>(block_rows, ids.size() - first)),
                &chunk);
    writer.write(chunk);
  }
  ranges_[range].push_back(writer.finish());
}

uint64_t SortedRuns::spilled_bytes() const { return merged_bytes_ + file_->bytes(); }

int SortedRuns::compare(const DataChunk& a, uint32_t row_a, const DataChunk& b, uint32_t row_b,
                        size_t columns) const {
  for (size_t c = 0; c < columns; ++c) {
    const Vector &x = a.columns[c], &y = b.columns[c];
    const bool x_valid = x.is_valid(row_a), y_valid = y.is_valid(row_b);
    if (!x_valid || !y_valid) {
      if (x_valid == y_valid) continue;
      return x_valid == columns_[c].nulls_first ? 1 : -1;
    }
    SqlType type;
    std::string_view x_text, y_text;
    const void* x_element = element_of(x, row_a, &type, &x_text);
    const int order = compare_elements(type.id, x_element, element_of(y, row_b, &type, &y_text));
    if (order != 0) return (order < 0) != columns_[c].descending ? -1 : 1;
  }
  return 0;
}

// Numbers that are in the order of the first column; equal ones need a comparison.
void SortedRuns::number_rows(const DataChunk& keys, std::vector<uint64_t>* numbers) const {
  numbers->assign(keys.size, 0);
  if (columns_.empty()) return;
  const SortColumn& column = columns_[0];
  const Vector& vector = keys.columns[0];
  read_ordinals(vector, keys.size, common_bytes_, numbers);
  for (uint32_t i = 0; i < keys.size; ++i) {
    uint64_t& number = (*numbers)[i];
    if (column.descending) number = ~number;
    if (!first_has_nulls_) continue;
    const bool valid = vector.is_valid(i);
    number = (valid ? number >> 1 : 0) | uint64_t{valid == column.nulls_first} << 63;
  }
}

// Merges ranges of runs by a tree of losers: its inner nodes hold the run that lost there, so that the next row costs one
// comparison for each level.
class SortedRuns::Merger {
 public:
  explicit Merger(const SortedRuns& sorted) : sorted_(sorted), memory_(sorted.limit_.budget()) {}

  // Adds the rows of a run from `lower` up to `upper`; null: no bound.
  void add(const Run& run, size_t number, const Bound* lower, const Bound* upper) {
    Input input;
    input.run = &run;
    input.number = number;
    input.end_block = upper ? upper->blocks[number] : run.blocks.size();
    input.upper = upper;
    const size_t before = lower ? lower->blocks[number] : 0;
    input.block = before > 0 ? before - 1 : 0;
    if (!load(input)) return;
    if (before > 0) {
      input.at = first_not_before(input, *lower);
      if (input.at >= input.end && !advance_block(input)) return;
    }
    inputs_.push_back(std::move(input));
    memory_.set(inputs_.size() * SpillLimit::kBlockCopies * sorted_.limit_.block_bytes());
  }

  // Up to `most` of the next rows; false at the end.
  bool next(uint32_t most, size_t columns, DataChunk* out) {
    if (tree_.empty()) build();
    picks_.clear();
    sources_.clear();
    for (Input& input : inputs_) input.source = SIZE_MAX;
    while (picks_.size() < most && tree_[0] != kNone) {
      Input& input = inputs_[tree_[0]];
      if (input.source == SIZE_MAX) {
        input.source = sources_.size();
        sources_.push_back(input.rows);
      }
      picks_.push_back({static_cast<uint32_t>(input.source), input.at});
      if (++input.at >= input.end) {
        input.source = SIZE_MAX;
        if (!advance_block(input)) input.done = true;
      }
      replay(tree_[0]);
    }
    if (picks_.empty()) return false;
    out->columns.resize(columns);
    for (size_t c = 0; c < columns; ++c) gather(c, &out->columns[c]);
    out->set_size(static_cast<uint32_t>(picks_.size()));
    return true;
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  struct Block {
    DataChunk chunk, keys;
    std::vector<uint64_t> numbers;
  };
  struct Input {
    const Run* run = nullptr;
    size_t number = 0;
    size_t block = 0, end_block = 0;
    const Bound* upper = nullptr;
    std::shared_ptr<Block> rows;
    uint32_t at = 0, end = 0;
    size_t source = SIZE_MAX;  // where `rows` is in sources_
    bool done = false;
  };
  struct Pick {
    uint32_t source, row;
  };

  bool load(Input& input) {
    if (input.block >= input.end_block) return false;
    auto block = std::make_shared<Block>();
    input.run->file->read(input.run->blocks[input.block], scratch_, &block->chunk);
    block->keys = sorted_.keys_of(block->chunk);
    sorted_.number_rows(block->keys, &block->numbers);
    input.rows = std::move(block);
    input.at = 0;
    input.end = input.rows->chunk.size;
    if (input.upper && input.block + 1 == input.end_block) input.end = first_not_before(input, *input.upper);
    return true;
  }

  bool advance_block(Input& input) {
    do {
      ++input.block;
      if (!load(input)) return false;
    } while (input.at >= input.end);
    return true;
  }

  // In the block at hand, which begins before the bound.
  uint32_t first_not_before(const Input& input, const Bound& bound) const {
    uint32_t low = 0, high = input.rows->chunk.size;
    while (low < high) {
      const uint32_t middle = low + (high - low) / 2;
      const int order = sorted_.compare(input.rows->keys, middle, bound.keys, 0, sorted_.head_);
      // Equal rows of earlier runs come before the bound, unless morsels begin at heads.
      if (order < 0 || (order == 0 && !sorted_.at_heads_ && input.number <= bound.run)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  bool before(size_t a, size_t b) const {
    const Input &x = inputs_[a], &y = inputs_[b];
    if (x.done || y.done) return !x.done;
    const uint64_t number_x = x.rows->numbers[x.at], number_y = y.rows->numbers[y.at];
    if (number_x != number_y) return number_x < number_y;
    const int order = sorted_.compare(x.rows->keys, x.at, y.rows->keys, y.at, sorted_.columns_.size());
    return order != 0 ? order < 0 : x.number < y.number;
  }

  // tree_[0]: the winner; tree_[1 …]: losers of an implicit binary tree whose leaves are the inputs.
  void build() {
    leaves_ = std::max<size_t>(inputs_.size(), 1);
    tree_.assign(leaves_, kNone);
    if (inputs_.empty()) return;
    tree_[0] = leaves_ == 1 ? 0 : play(1);
    settle();
  }
  size_t play(size_t node) {
    if (node >= leaves_) return node - leaves_;
    const size_t left = play(2 * node), right = play(2 * node + 1);
    const bool left_wins = before(left, right);
    tree_[node] = left_wins ? right : left;
    return left_wins ? left : right;
  }
  void replay(size_t leaf) {
    size_t winner = leaf;
    for (size_t node = (leaf + leaves_) / 2; node > 0; node /= 2) {
      if (before(tree_[node], winner)) std::swap(tree_[node], winner);
    }
    tree_[0] = winner;
    settle();
  }
  void settle() {
    if (inputs_[tree_[0]].done) tree_[0] = kNone;
  }

  void gather(size_t c, Vector* out) const {
    const Vector& first = sources_[0]->chunk.columns[c];
    bool nulls = false, same_dictionary = true;
    for (const auto& source : sources_) {
      const Vector& vector = source->chunk.columns[c];
      nulls |= vector.may_have_nulls();
      same_dictionary &= vector.dictionary == first.dictionary && vector.type.id == first.type.id;
    }
    const auto count = static_cast<uint32_t>(picks_.size());
    // Symbols of several dictionaries leave as strings.
    const bool as_strings = !same_dictionary;
    const SqlType type = as_strings ? SqlType(TypeId::kVarchar) : first.type;
    void* elements = out->allocate(type, count);
    if (as_strings) {
      auto* texts = static_cast<std::string_view*>(elements);
      for (uint32_t i = 0; i < count; ++i)
        texts[i] = text_of(sources_[picks_[i].source]->chunk.columns[c], picks_[i].row);
    } else {
      copy_elements(c, physical_size(physical_type(type)), static_cast<char*>(elements));
      out->dictionary = first.dictionary;
      out->owner = first.owner;
    }
    if (physical_type(type) == PhysicalType::kString) {
      auto owners = std::make_shared<std::vector<std::shared_ptr<const void>>>();
      for (const auto& source : sources_) owners->push_back(source);
      out->string_owner = std::move(owners);
    }
    if (!nulls) return;
    uint64_t* words = out->allocate_validity(count);
    for (uint32_t i = 0; i < count; ++i) {
      if (sources_[picks_[i].source]->chunk.columns[c].is_valid(picks_[i].row)) continue;
      words[i >> 6] &= ~(uint64_t{1} << (i & 63));
    }
  }

  void copy_elements(size_t c, size_t size, char* out) const {
    std::vector<const char*> bases;
    for (const auto& source : sources_)
      bases.push_back(static_cast<const char*>(source->chunk.columns[c].data));
    const auto copy = [&](auto bytes) {
      for (size_t i = 0; i < picks_.size(); ++i) {
        std::memcpy(out + i * bytes, bases[picks_[i].source] + picks_[i].row * bytes, bytes);
      }
    };
    switch (size) {
      case 1: return copy(std::integral_constant<size_t, 1>());
      case 2: return copy(std::integral_constant<size_t, 2>());
      case 4: return copy(std::integral_constant<size_t, 4>());
      case 8: return copy(std::integral_constant<size_t, 8>());
      case 16: return copy(std::integral_constant<size_t, 16>());
      default: return copy(size);
    }
  }

  const SortedRuns& sorted_;
  std::vector<Input> inputs_;
  std::vector<size_t> tree_;
  size_t leaves_ = 0;
  std::vector<std::shared_ptr<Block>> sources_;  // of the rows at hand
  std::vector<Pick> picks_;
  SpillFile::Scratch scratch_;
  OperatorMemory memory_;
};

SortedRuns::RunPtr SortedRuns::merge_runs(size_t first, size_t end, const std::shared_ptr<SpillFile>& into,
                                          const ExecutionContext& context) const {
  if (end - first == 1) return runs_[first];
  Merger merger(*this);
  uint64_t rows = 0, blocks = 0;
  for (size_t r = first; r < end; ++r) {
    merger.add(*runs_[r], r, nullptr, nullptr);
    rows += runs_[r]->rows;
    blocks += runs_[r]->blocks.size();
  }
  RunWriter writer(*this, into);
  const auto block_rows =
      static_cast<uint32_t>(std::clamp<uint64_t>(rows / blocks, kLeastBlockRows, kVectorSize));
  DataChunk chunk;
  while (merger.next(block_rows, types_.size(), &chunk)) {
    if (context.cancel) context.cancel->check();
    writer.write(chunk);
  }
  return writer.finish();
}

// Merges neighbouring runs until there are at most `most`.
void SortedRuns::merge_to(size_t most, const ExecutionContext& context) {
  while (runs_.size() > most) {
    const size_t groups = std::max((runs_.size() + most - 1) / most, size_t{1});
    auto into = std::make_shared<SpillFile>(folder_, types_);
    std::vector<RunPtr> merged(groups);
    const auto merge = [&](size_t group) {
      merged[group] =
          merge_runs(runs_.size() * group / groups, runs_.size() * (group + 1) / groups, into, context);
    };
    if (context.workers && groups > 1) {
      context.workers->parallel_run(groups, merge);
    } else {
      for (size_t group = 0; group < groups; ++group) merge(group);
    }
    runs_ = std::move(merged);
    merged_bytes_ += file_->bytes();
    file_ = std::move(into);
  }
}

void SortedRuns::finish(const ExecutionContext& context) {
  for (std::vector<RunPtr>& range : ranges_) {
    for (RunPtr& run : range) runs_.push_back(std::move(run));
  }
  ranges_.clear();
  CommonBeginning common;
  for (const RunPtr& run : runs_) {
    rows_ += run->rows;
    first_has_nulls_ |= run->first_has_nulls;
    if (run->common) common.add(*run->common);
  }
  common_bytes_ = common.text().size();
  merge_to(limit_.most_inputs(), context);
  uint64_t key_bytes = 0;
  for (const RunPtr& run : runs_) key_bytes += run->first_keys->memory_bytes();
  memory_ = OperatorMemory(context.memory);
  memory_.set(key_bytes);
  choose_bounds(context);
}

void SortedRuns::choose_bounds(const ExecutionContext& context) {
  uint64_t blocks = 0;
  for (const RunPtr& run : runs_) blocks += run->blocks.size();
  if (blocks == 0 || columns_.empty()) return;
  const uint64_t width = std::max<uint64_t>(limit_.block_bytes() * blocks / rows_, 1);
  const uint64_t least = std::clamp<uint64_t>(limit_.part_bytes() / 8 / width, kVectorSize, kMorselRows);
  // A morsel reads a part of a block of each run at either end in vain; one with whole heads is kept in memory by its reader.
  const uint64_t useful = at_heads_ ? 0 : runs_.size() * 8 * rows_ / blocks;
  const uint64_t wanted = std::max({least, rows_ / kMostBounds, useful});
  const uint64_t step = std::max<uint64_t>(wanted * blocks / std::max<uint64_t>(rows_, 1), 1);

  std::vector<SqlType> key_types;
  for (const SortColumn& column : columns_) key_types.push_back(types_[column.column]);
  const auto keys = RowStore::make(std::move(key_types), context.memory);  // dense: a row's id is its number
  std::vector<std::pair<uint32_t, uint32_t>> places;                       // run and block of each
  DataChunk chunk;
  for (size_t r = 0; r < runs_.size(); ++r) {
    const RowStore& first_keys = *runs_[r]->first_keys;
    for (size_t s = 0; s < first_keys.segment_count(); ++s) {
      for (uint32_t first = 0; first < first_keys.segment_rows(s); first += kVectorSize) {
        first_keys.read(s, first, std::min(kVectorSize, first_keys.segment_rows(s) - first), &chunk);
        keys->append(chunk);
      }
    }
    for (uint32_t block = 0; block < runs_[r]->blocks.size(); ++block) places.emplace_back(r, block);
  }
  keys->seal();
  std::vector<SortColumn> sort_columns = columns_;
  for (uint32_t c = 0; c < sort_columns.size(); ++c) sort_columns[c].column = c;
  std::vector<uint32_t> order;
  keys->all_ids(&order);
  RowSorter(*keys, std::move(sort_columns)).sort(&order, context);

  std::vector<size_t> begun(runs_.size(), 0);
  uint64_t since = 0;
  DataChunk keys_at, previous_keys;
  for (const uint32_t id : order) {
    const auto [run, block] = places[id];
    keys->gather(&id, 1, &keys_at);
    const bool can_begin = since > 0 && (!at_heads_ || compare(keys_at, 0, previous_keys, 0, head_) != 0);
    if (++since > step && can_begin) {
      bounds_.push_back({keys_at, run, begun});
      since = 1;
    }
    previous_keys = keys_at;
    begun[run] = block + size_t{1};
  }
}

size_t SortedRuns::morsel_count() const { return rows_ == 0 ? 0 : bounds_.size() + 1; }

class SortedRuns::Stream final : public MorselStream {
 public:
  Stream(const SortedRuns& sorted, const ExecutionContext& context, size_t columns)
      : sorted_(sorted), context_(context), columns_(columns) {}

  void begin(size_t morsel) override {
    merger_ = std::make_unique<Merger>(sorted_);
    const Bound* lower = morsel > 0 ? &sorted_.bounds_[morsel - 1] : nullptr;
    const Bound* upper = morsel < sorted_.bounds_.size() ? &sorted_.bounds_[morsel] : nullptr;
    for (size_t r = 0; r < sorted_.runs_.size(); ++r) merger_->add(*sorted_.runs_[r], r, lower, upper);
  }

  bool next(DataChunk* chunk) override {
    if (context_.cancel) context_.cancel->check();
    return merger_->next(kVectorSize, columns_, chunk);
  }

 private:
  const SortedRuns& sorted_;
  const ExecutionContext& context_;
  const size_t columns_;
  std::unique_ptr<Merger> merger_;
};

std::unique_ptr<MorselStream> SortedRuns::open(const ExecutionContext& context, size_t columns) const {
  return std::make_unique<Stream>(*this, context, columns);
}

}  // namespace idem
