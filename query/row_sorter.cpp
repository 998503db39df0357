#include "query/row_sorter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "common/array_value.h"
#include "common/cancellation.h"
#include "common/worker_pool.h"
#include "query/sort_ordinal.h"
#include "query/sort_threshold.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

constexpr size_t kRadixRows = 2048;

// The place of each code's string among all strings of the dictionary.
std::vector<uint32_t> ranks_of(const SymbolDictionary& dictionary) {
  const uint32_t size = dictionary.size();
  std::vector<std::pair<std::string_view, uint32_t>> strings(size);
  for (uint32_t code = 0; code < size; ++code)
    strings[code] = {dictionary.at(static_cast<int32_t>(code)), code};
  std::sort(strings.begin(), strings.end());
  std::vector<uint32_t> ranks(size);
  for (uint32_t rank = 0; rank < size; ++rank) ranks[strings[rank].second] = rank;
  return ranks;
}

size_t parts_for(size_t count, const ExecutionContext& context) {
  if (!context.workers || count < 4 * kRadixRows) return 1;
  return static_cast<size_t>(std::max(context.worker_count, 1));
}

// Calls fn(part, first, end) for equal parts of [0, count).
template <class F>
void for_parts(size_t parts, size_t count, const ExecutionContext& context, F&& fn) {
  if (parts == 1) return fn(size_t{0}, size_t{0}, count);
  context.workers->parallel_run(parts, [&](size_t part) {
    if (context.cancel) context.cancel->check();
    fn(part, count * part / parts, count * (part + 1) / parts);
  });
}

}  // namespace

RowSorter::RowSorter(const RowStore& rows, std::vector<SortColumn> columns)
    : rows_(rows), columns_(std::move(columns)) {}

int RowSorter::compare_columns(uint32_t a, uint32_t b, size_t first, size_t end) const {
  for (size_t c = first; c < end; ++c) {
    const SortColumn& column = columns_[c];
    const bool a_valid = rows_.is_valid(column.column, a);
    const bool b_valid = rows_.is_valid(column.column, b);
    if (!a_valid || !b_valid) {
      if (a_valid == b_valid) continue;
      return a_valid == column.nulls_first ? 1 : -1;
    }
    const SqlType type = rows_.type(column.column);
    int order;
    if (type.id == TypeId::kSymbol) {
      const auto x = rows_.value<int32_t>(column.column, a);
      const auto y = rows_.value<int32_t>(column.column, b);
      if (x == y) continue;
      const SymbolDictionary& dictionary = *rows_.dictionary(column.column);
      order = dictionary.at(x).compare(dictionary.at(y));
    } else {
      order = compare_elements(type.id, rows_.element(column.column, a), rows_.element(column.column, b));
    }
    if (order != 0) return (order < 0) != column.descending ? -1 : 1;
  }
  return 0;
}

// One sort: the entries, and which columns their prefixes hold.
class RowSorter::Run {
 public:
  Run(const RowSorter& sorter, const std::vector<uint32_t>& ids, const ExecutionContext& context)
      : sorter_(sorter),
        rows_(sorter.rows_),
        context_(context),
        memory_(context.memory),
        parts_(parts_for(ids.size(), context)),
        columns_(sorter.columns_.size() - (sorter.in_order_ ? 1 : 0)),
        reversed_(sorter.in_order_ && sorter.columns_.back().descending) {
    memory_.set(ids.size() * (2 * sizeof(Entry) + sizeof(uint64_t)));
    entries_.resize(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) entries_[i] = {0, reversed_ ? ids[ids.size() - 1 - i] : ids[i]};
    values_.resize(ids.size());
    uint32_t left = 64;
    while (packed_ < columns_ && left > 0 && pack(packed_, &left)) ++packed_;
    values_ = std::vector<uint64_t>();
  }

  void sort(std::vector<uint32_t>* ids) {
    const size_t count = entries_.size();
    std::vector<Entry> spare(count);
    for_parts(parts_, count, context_, [&](size_t, size_t first, size_t end) {
      sort_part(entries_.data() + first, end - first, spare.data() + first);
    });
    for (size_t width = 1; width < parts_; width *= 2) merge_parts(width, spare);
    for (size_t i = 0; i < count; ++i) (*ids)[i] = entries_[i].id;
  }

  void find_changes(size_t head, std::vector<RowChange>* changes) const {
    changes->resize(entries_.size());
    const uint32_t head_shift = head > 0 && head <= packed_ ? shifts_[head - 1] : 0;
    for_parts(parts_, entries_.size(), context_, [&](size_t, size_t first, size_t end) {
      for (size_t i = first; i < end; ++i) {
        if (i == 0) {
          (*changes)[0] = RowChange::kHead;
          continue;
        }
        const Entry &a = entries_[i - 1], &b = entries_[i];
        bool same_head = true;
        if (head > 0) {
          same_head = head <= packed_ ? head_shift >= 64 || a.prefix >> head_shift == b.prefix >> head_shift
                                      : sorter_.compare_columns(a.id, b.id, 0, head) == 0;
        }
        const bool same =
            same_head && a.prefix == b.prefix &&
            (packed_ == columns_ || sorter_.compare_columns(a.id, b.id, packed_, columns_) == 0) &&
            (!sorter_.in_order_ || equal_in_order(a.id, b.id));
        (*changes)[i] = same ? RowChange::kNone : same_head ? RowChange::kTail : RowChange::kHead;
      }
    });
  }

 private:
  bool before(const Entry& a, const Entry& b) const {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const int order = sorter_.compare_columns(a.id, b.id, packed_, columns_);
    return order != 0 ? order < 0 : (a.id < b.id) != reversed_ && a.id != b.id;
  }

  // Whether two rows are equal in the column that gives the order of rows.
  bool equal_in_order(uint32_t a, uint32_t b) const {
    const uint32_t column = sorter_.columns_.back().column;
    if (physical_type(rows_.type(column)) == PhysicalType::kInt64 && !rows_.has_nulls(column))
      return rows_.value<int64_t>(column, a) == rows_.value<int64_t>(column, b);
    return sorter_.compare_columns(a, b, columns_, columns_ + 1) == 0;
  }

  // Whether the rows are so few that ranking all strings of a symbol's dictionary would cost more than comparing
  // theirs. The first bytes of the strings are packed then.
  bool compares_strings(uint32_t column) const {
    return rows_.type(column).id == TypeId::kSymbol && rows_.dictionary(column) &&
           rows_.dictionary(column)->size() > entries_.size();
  }

  // values_[i] = number of the value of entry i; what is under a NULL is a value too.
  void read_values(uint32_t column, const std::vector<uint32_t>& ranks, size_t first, size_t end) {
    const SqlType type = rows_.type(column);
    const auto read = [&](auto* tag, auto&& number) {
      using T = std::remove_pointer_t<decltype(tag)>;
      for (size_t i = first; i < end; ++i) {
        const uint32_t id = entries_[i].id;
        const auto* values = reinterpret_cast<const T*>(rows_.base(column, id >> RowStore::kSegmentBits));
        values_[i] = number(values[id & (RowStore::kSegmentRows - 1)]);
      }
    };
    const bool unsigned_value = is_oid_like(type.id);
    switch (physical_type(type)) {
      case PhysicalType::kBool:
        return read(static_cast<uint8_t*>(nullptr), [](uint8_t v) { return uint64_t{v}; });
      case PhysicalType::kInt16:
        return read(static_cast<int16_t*>(nullptr), [](int16_t v) { return ordered_bits(int64_t{v}); });
      case PhysicalType::kInt32:
        if (type.id == TypeId::kSymbol && compares_strings(column)) {
          const SymbolDictionary& dictionary = *rows_.dictionary(column);
          return read(static_cast<int32_t*>(nullptr),
                      [&](int32_t v) { return v < 0 ? 0 : string_prefix(dictionary.at(v)); });
        }
        if (type.id == TypeId::kSymbol) {
          return read(static_cast<int32_t*>(nullptr),
                      [&](int32_t v) { return v < 0 ? 0 : uint64_t{ranks[static_cast<size_t>(v)]}; });
        }
        return read(static_cast<int32_t*>(nullptr), [&](int32_t v) {
          return unsigned_value ? uint64_t{static_cast<uint32_t>(v)} : ordered_bits(int64_t{v});
        });
      case PhysicalType::kInt64:
        return read(static_cast<int64_t*>(nullptr), [](int64_t v) { return ordered_bits(v); });
      case PhysicalType::kFloat:
        return read(static_cast<float*>(nullptr),
                    [](float v) { return ordered_bits(static_cast<double>(v)); });
      case PhysicalType::kDouble:
        return read(static_cast<double*>(nullptr), [](double v) { return ordered_bits(v); });
      default:
        return read(static_cast<std::string_view*>(nullptr),
                    [](std::string_view v) { return string_prefix(v); });
    }
  }

  // Puts column `c` into the highest of the `left` lowest bits. False if it does not fit there exactly.
  bool pack(size_t c, uint32_t* left) {
    const SortColumn& column = sorter_.columns_[c];
    Ordinal ordinal = ordinal_of(rows_.type(column.column));
    if (ordinal == Ordinal::kNone) return false;
    std::vector<uint32_t> ranks;
    if (compares_strings(column.column)) {
      ordinal = Ordinal::kApproximate;
    } else if (rows_.type(column.column).id == TypeId::kSymbol && rows_.dictionary(column.column)) {
      ranks = ranks_of(*rows_.dictionary(column.column));
    }
    std::vector<uint64_t> least(parts_, UINT64_MAX), greatest(parts_, 0);
    for_parts(parts_, entries_.size(), context_, [&](size_t part, size_t first, size_t end) {
      read_values(column.column, ranks, first, end);
      const auto [low, high] = std::minmax_element(values_.begin() + static_cast<ptrdiff_t>(first),
                                                   values_.begin() + static_cast<ptrdiff_t>(end));
      if (first == end) return;
      least[part] = *low;
      greatest[part] = *high;
    });
    const uint64_t low = *std::min_element(least.begin(), least.end());
    const uint64_t high = *std::max_element(greatest.begin(), greatest.end());
    const bool nulls = rows_.has_nulls(column.column);
    const auto value_bits = static_cast<uint32_t>(std::bit_width(high - low));
    const uint32_t needed = value_bits + (nulls ? 1 : 0);
    const uint32_t dropped = needed > *left ? needed - *left : 0;
    if (dropped >= value_bits && dropped > 0) return false;
    const uint32_t shift = *left - (needed - dropped);
    for_parts(parts_, entries_.size(), context_, [&](size_t, size_t first, size_t end) {
      for (size_t i = first; i < end; ++i) {
        uint64_t bits = (column.descending ? high - values_[i] : values_[i] - low) >> dropped;
        if (nulls) {
          const bool valid = rows_.is_valid(column.column, entries_[i].id);
          if (!valid) bits = 0;
          bits |= uint64_t{valid == column.nulls_first} << (value_bits - dropped);
        }
        if (shift < 64) entries_[i].prefix |= bits << shift;
      }
    });
    *left = shift;
    shifts_.push_back(shift);
    return dropped == 0 && ordinal == Ordinal::kExact;
  }

  // before(), which looks at the cancel token now and then. One thread's.
  class Less {
   public:
    Less(const Run& run, uint32_t& calls) : run_(run), calls_(calls) {}
    bool operator()(const Entry& a, const Entry& b) const {
      if (++calls_ % kCallsPerCheck == 0) run_.check_cancel();
      return run_.before(a, b);
    }

   private:
    static constexpr uint32_t kCallsPerCheck = 1 << 16;
    const Run& run_;
    uint32_t& calls_;  // that all copies have made
  };

  void check_cancel() const {
    if (context_.cancel) context_.cancel->check();
  }

  void sort_part(Entry* entries, size_t count, Entry* spare) const {
    uint32_t calls = 0;
    const Less less(*this, calls);
    bool sorted = true;
    for (size_t i = 1; i < count && sorted; ++i) sorted = !less(entries[i], entries[i - 1]);
    if (sorted) return;
    if (count < kRadixRows) {
      std::sort(entries, entries + count, less);
      return;
    }
    radix_sort(entries, count, spare);
    if (packed_ == columns_) return;
    for (size_t i = 0; i < count;) {
      size_t end = i + 1;
      while (end < count && entries[end].prefix == entries[i].prefix) ++end;
      if (end - i > 1) std::sort(entries + i, entries + end, less);
      i = end;
    }
  }

  // By prefix, least significant digit first, so that equal ones keep their order. Digits that are the same
  // everywhere are left out.
  void radix_sort(Entry* entries, size_t count, Entry* spare) const {
    constexpr uint32_t kDigitBits = 8, kDigits = 64 / kDigitBits, kValues = 1 << kDigitBits;
    std::array<std::array<uint32_t, kValues>, kDigits> histogram{};
    for (size_t i = 0; i < count; ++i) {
      for (uint32_t d = 0; d < kDigits; ++d)
        ++histogram[d][(entries[i].prefix >> (d * kDigitBits)) & (kValues - 1)];
    }
    Entry* from = entries;
    Entry* to = spare;
    for (uint32_t d = 0; d < kDigits; ++d) {
      std::array<uint32_t, kValues>& counts = histogram[d];
      if (counts[(entries[0].prefix >> (d * kDigitBits)) & (kValues - 1)] == count) continue;
      check_cancel();
      uint32_t sum = 0;
      for (uint32_t& n : counts) sum += std::exchange(n, sum);
      for (size_t i = 0; i < count; ++i)
        to[counts[(from[i].prefix >> (d * kDigitBits)) & (kValues - 1)]++] = from[i];
      std::swap(from, to);
    }
    if (from != entries) std::copy(from, from + count, entries);
  }

  // Joins neighbouring runs of `width` parts, each pair on its own thread.
  void merge_parts(size_t width, std::vector<Entry>& spare) {
    const size_t count = entries_.size();
    const size_t pairs = (parts_ + 2 * width - 1) / (2 * width);
    const auto place = [&](size_t part) {
      return static_cast<ptrdiff_t>(count * std::min(part, parts_) / parts_);
    };
    const auto merge = [&](size_t pair) {
      const size_t part = pair * 2 * width;
      uint32_t calls = 0;
      std::merge(entries_.begin() + place(part), entries_.begin() + place(part + width),
                 entries_.begin() + place(part + width), entries_.begin() + place(part + 2 * width),
                 spare.begin() + place(part), Less(*this, calls));
    };
    if (pairs == 1) {
      merge(0);
    } else {
      context_.workers->parallel_run(pairs, merge);
    }
    entries_.swap(spare);
  }

  const RowSorter& sorter_;
  const RowStore& rows_;
  const ExecutionContext& context_;
  OperatorMemory memory_;
  const size_t parts_;
  const size_t columns_;  // that are sorted by
  const bool reversed_;   // equal rows come last first
  std::vector<Entry> entries_;
  std::vector<uint64_t> values_;  // of the column being packed
  size_t packed_ = 0;             // leading columns that the prefix holds wholly
  std::vector<uint32_t> shifts_;  // of each column that the prefix holds: bits below it
};

void RowSorter::sort(std::vector<uint32_t>* ids, const ExecutionContext& context, size_t head_columns,
                     std::vector<RowChange>* changes) const {
  if (columns_.empty() || ids->empty()) {
    if (changes) {
      changes->assign(ids->size(), RowChange::kNone);
      if (!ids->empty()) changes->front() = RowChange::kHead;
    }
    return;
  }
  Run run(*this, *ids, context);
  run.sort(ids);
  if (changes) run.find_changes(head_columns, changes);
}

}  // namespace idem
