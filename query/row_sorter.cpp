#include "query/row_sorter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "common/array_value.h"
#include "common/worker_pool.h"
#include "query/cancel_check.h"
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
      sort_by_prefix(entries_.data() + first, end - first, spare.data() + first);
    });
    for (size_t width = 1; width < parts_; width *= 2) merge_parts(width, spare);
    if (packed_ < columns_) sort_equal_prefixes(spare);
    for (size_t i = 0; i < count; ++i) (*ids)[i] = entries_[i].id;
  }

  void find_changes(size_t head, std::vector<RowChange>* changes) const {
    changes->resize(entries_.size());
    const uint32_t head_shift = head > 0 && head <= packed_ ? shifts_[head - 1] : 0;
    for_all_entries([&](size_t, size_t first, size_t end) {
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
  class ColumnSort;
  static constexpr size_t kRowsPerCheck = 1 << 16;

  void check_cancel() const {
    if (context_.cancel) context_.cancel->check();
  }

  // Calls fn(from, to) for steps from `first` to `end`, and looks at the cancel token in between.
  template <class F>
  void for_steps(size_t first, size_t end, F&& fn) const {
    for (; first < end; first += kRowsPerCheck) {
      check_cancel();
      fn(first, std::min(first + kRowsPerCheck, end));
    }
  }

  // Calls fn(part, from, to) for steps of all entries, in parallel.
  template <class F>
  void for_all_entries(F&& fn) const {
    for_parts(parts_, entries_.size(), context_, [&](size_t part, size_t first, size_t end) {
      for_steps(first, end, [&](size_t from, size_t to) { fn(part, from, to); });
    });
  }

  // A comparison that looks at the cancel token now and then. One thread's; algorithms copy it.
  template <class Before>
  auto checked(CancelCheck& check, Before before) const {
    return [&check, before](const Entry& a, const Entry& b) {
      check();
      return before(a, b);
    };
  }

  // Equal rows keep the order in which they came.
  bool came_before(const Entry& a, const Entry& b) const {
    return a.id != b.id && (a.id < b.id) != reversed_;
  }
  auto by_prefix(CancelCheck& check) const {
    return checked(check, [this](const Entry& a, const Entry& b) {
      return a.prefix != b.prefix ? a.prefix < b.prefix : came_before(a, b);
    });
  }
  // Of rows that are equal in the columns before `first`.
  auto by_columns(size_t first, CancelCheck& check) const {
    return checked(check, [this, first](const Entry& a, const Entry& b) {
      const int order = sorter_.compare_columns(a.id, b.id, first, columns_);
      return order != 0 ? order < 0 : came_before(a, b);
    });
  }

  // Whether two rows are equal in the column that gives the order of rows.
  bool equal_in_order(uint32_t a, uint32_t b) const {
    const uint32_t column = sorter_.columns_.back().column;
    if (physical_type(rows_.type(column)) == PhysicalType::kInt64 && !rows_.has_nulls(column))
      return rows_.value<int64_t>(column, a) == rows_.value<int64_t>(column, b);
    return sorter_.compare_columns(a, b, columns_, columns_ + 1) == 0;
  }

  bool is_text(uint32_t column) const {
    const SqlType type = rows_.type(column);
    return type.id == TypeId::kSymbol ||
           (physical_type(type) == PhysicalType::kString && compares_by_bytes(type.id));
  }

  // Not of NULL.
  std::string_view text(uint32_t column, uint32_t id) const {
    if (rows_.type(column).id != TypeId::kSymbol) return rows_.value<std::string_view>(column, id);
    return rows_.dictionary(column)->at(rows_.value<int32_t>(column, id));
  }

  // Whether ranking all strings of a symbol's dictionary costs less than comparing those of the rows.
  bool is_ranked(uint32_t column) const {
    return rows_.type(column).id == TypeId::kSymbol && rows_.dictionary(column) &&
           rows_.dictionary(column)->size() <= entries_.size();
  }

  // Calls put(i, number of the value) for each of the entries [first, end) that is not NULL.
  template <class Put>
  void read_numbers(uint32_t column, const Entry* entries, size_t first, size_t end, size_t skipped,
                    Put&& put) const {
    const bool nulls = rows_.has_nulls(column);
    const auto read = [&](auto&& number) {
      for (size_t i = first; i < end; ++i) {
        const uint32_t id = entries[i].id;
        if (!nulls || rows_.is_valid(column, id)) put(i, number(id));
      }
    };
    if (is_text(column)) return read([&](uint32_t id) { return string_prefix(text(column, id), skipped); });
    visit_ordinals(rows_.type(column), [&](auto* tag, auto&& number) {
      using T = std::remove_pointer_t<decltype(tag)>;
      read([&](uint32_t id) { return number(rows_.value<T>(column, id)); });
    });
  }

  void add_texts(uint32_t column, const Entry* entries, size_t first, size_t end,
                 CommonBeginning* common) const {
    for (size_t i = first; i < end; ++i) {
      if (rows_.is_valid(column, entries[i].id)) common->add(text(column, entries[i].id));
    }
  }

  CommonBeginning common_beginning(uint32_t column) const {
    std::vector<CommonBeginning> of_parts(parts_);
    for_all_entries([&](size_t part, size_t first, size_t end) {
      add_texts(column, entries_.data(), first, end, &of_parts[part]);
    });
    CommonBeginning common;
    for (const CommonBeginning& part : of_parts) common.add(part);
    return common;
  }

  // Puts column `c` into the highest of the `left` lowest bits. False if it does not fit there exactly.
  bool pack(size_t c, uint32_t* left) {
    const SortColumn& column = sorter_.columns_[c];
    const Ordinal ordinal = ordinal_of(rows_.type(column.column));
    if (ordinal == Ordinal::kNone) return false;
    bool exact = ordinal == Ordinal::kExact;
    const auto keep = [&](size_t i, uint64_t number) { values_[i] = number; };
    if (is_ranked(column.column)) {
      const std::vector<uint32_t> ranks = ranks_of(*rows_.dictionary(column.column));
      for_all_entries([&](size_t, size_t first, size_t end) {
        for (size_t i = first; i < end; ++i) {
          const auto code = rows_.value<int32_t>(column.column, entries_[i].id);
          values_[i] = code < 0 ? 0 : ranks[static_cast<size_t>(code)];
        }
      });
    } else {
      size_t skipped = 0;
      if (is_text(column.column)) {
        const CommonBeginning common = common_beginning(column.column);
        skipped = common.text().size();
        exact = common.prefix_is_exact();
      }
      for_all_entries([&](size_t, size_t first, size_t end) {
        read_numbers(column.column, entries_.data(), first, end, skipped, keep);
      });
    }
    return pack_values(column, left) && exact;
  }

  // False if bits of the values had to be left out.
  bool pack_values(const SortColumn& column, uint32_t* left) {
    const bool nulls = rows_.has_nulls(column.column);
    const auto is_valid = [&](size_t i) { return !nulls || rows_.is_valid(column.column, entries_[i].id); };
    std::vector<uint64_t> least(parts_, UINT64_MAX), greatest(parts_, 0);
    for_all_entries([&](size_t part, size_t first, size_t end) {
      uint64_t low = least[part], high = greatest[part];
      for (size_t i = first; i < end; ++i) {
        if (!is_valid(i)) continue;
        low = std::min(low, values_[i]);
        high = std::max(high, values_[i]);
      }
      least[part] = low;
      greatest[part] = high;
    });
    const uint64_t high = *std::max_element(greatest.begin(), greatest.end());
    const uint64_t low = std::min(*std::min_element(least.begin(), least.end()), high);
    const auto value_bits = static_cast<uint32_t>(std::bit_width(high - low));
    const uint32_t needed = value_bits + (nulls ? 1 : 0);
    const uint32_t dropped = needed > *left ? needed - *left : 0;
    if (dropped >= value_bits && dropped > 0) return false;
    const uint32_t shift = *left - (needed - dropped);
    for_all_entries([&](size_t, size_t first, size_t end) {
      for (size_t i = first; i < end; ++i) {
        const bool valid = is_valid(i);
        uint64_t bits = 0;
        if (valid) bits = (column.descending ? high - values_[i] : values_[i] - low) >> dropped;
        if (nulls) bits |= uint64_t{valid == column.nulls_first} << (value_bits - dropped);
        if (shift < 64) entries_[i].prefix |= bits << shift;
      }
    });
    *left = shift;
    shifts_.push_back(shift);
    return dropped == 0;
  }

  void sort_by_prefix(Entry* entries, size_t count, Entry* spare) const {
    CancelCheck check(context_.cancel);
    const auto before = by_prefix(check);
    if (std::is_sorted(entries, entries + count, before)) return;
    if (count < kRadixRows) {
      std::sort(entries, entries + count, before);
    } else {
      radix_sort(entries, count, spare);
    }
  }

  // By prefix, least significant digit first, so that equal ones keep their order. Digits that are the same
  // everywhere are left out.
  void radix_sort(Entry* entries, size_t count, Entry* spare) const {
    constexpr uint32_t kDigitBits = 8, kDigits = 64 / kDigitBits, kValues = 1 << kDigitBits;
    std::array<std::array<uint32_t, kValues>, kDigits> histogram{};
    for (size_t i = 0; i < count; ++i) {
      if (i % kRowsPerCheck == 0) check_cancel();
      for (uint32_t d = 0; d < kDigits; ++d)
        ++histogram[d][(entries[i].prefix >> (d * kDigitBits)) & (kValues - 1)];
    }
    Entry* from = entries;
    Entry* to = spare;
    for (uint32_t d = 0; d < kDigits; ++d) {
      std::array<uint32_t, kValues>& counts = histogram[d];
      if (counts[(entries[0].prefix >> (d * kDigitBits)) & (kValues - 1)] == count) continue;
      uint32_t sum = 0;
      for (uint32_t& n : counts) sum += std::exchange(n, sum);
      for (size_t i = 0; i < count; ++i) {
        if (i % kRowsPerCheck == 0) check_cancel();
        to[counts[(from[i].prefix >> (d * kDigitBits)) & (kValues - 1)]++] = from[i];
      }
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
      CancelCheck check(context_.cancel);
      std::merge(entries_.begin() + place(part), entries_.begin() + place(part + width),
                 entries_.begin() + place(part + width), entries_.begin() + place(part + 2 * width),
                 spare.begin() + place(part), by_prefix(check));
    };
    if (pairs == 1) {
      merge(0);
    } else {
      context_.workers->parallel_run(pairs, merge);
    }
    entries_.swap(spare);
  }

  void sort_equal_prefixes(std::vector<Entry>& spare);

  // Behind the entries whose prefix is that of the one before `at`.
  size_t end_of_prefix(size_t at) const {
    if (at == 0) return 0;
    const auto found = std::upper_bound(
        entries_.begin() + static_cast<ptrdiff_t>(at) - 1, entries_.end(), entries_[at - 1].prefix,
        [](uint64_t prefix, const Entry& entry) { return prefix < entry.prefix; });
    return static_cast<size_t>(found - entries_.begin());
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

// Sorts entries that are equal in the columns that their prefixes hold: by one column after the other, of texts by eight bytes
// at a time. They are given other prefixes for that. One thread's.
class RowSorter::Run::ColumnSort {
 public:
  // `spare` has room for the entries.
  ColumnSort(const Run& run, Entry* entries, Entry* spare)
      : run_(run), entries_(entries), spare_(spare), check_(run.context_.cancel) {}

  void sort(size_t count) {
    add({0, count, run_.packed_});
    while (!groups_.empty()) {
      const Group group = groups_.back();
      groups_.pop_back();
      Entry* const begin = entries_ + group.first;
      if (std::is_sorted(begin, begin + group.count, run_.by_columns(group.column, check_))) continue;
      if (ordinal_of(run_.rows_.type(column_of(group).column)) == Ordinal::kNone) {
        compare(group);
      } else {
        sort_by_numbers(without_nulls(group));
      }
    }
  }

 private:
  // Entries that are equal in the columns before `column`.
  struct Group {
    size_t first, count, column;
  };
  static constexpr size_t kFewRows = 24;

  const SortColumn& column_of(const Group& group) const { return run_.sorter_.columns_[group.column]; }

  void add(const Group& group) {
    if (group.count < 2 || group.column == run_.columns_) return;
    if (group.count < kFewRows) return compare(group);
    groups_.push_back(group);
  }

  void compare(const Group& group) {
    Entry* const begin = entries_ + group.first;
    std::sort(begin, begin + group.count, run_.by_columns(group.column, check_));
  }

  // Puts the rows that are NULL where they belong; the others.
  Group without_nulls(const Group& group) {
    const SortColumn& column = column_of(group);
    if (!run_.rows_.has_nulls(column.column)) return group;
    Entry* const begin = entries_ + group.first;
    Entry* const middle = std::stable_partition(begin, begin + group.count, [&](const Entry& entry) {
      return run_.rows_.is_valid(column.column, entry.id) != column.nulls_first;
    });
    const auto before = static_cast<size_t>(middle - begin);
    const Group front{group.first, before, group.column};
    const Group back{group.first + before, group.count - before, group.column};
    const Group& nulls = column.nulls_first ? front : back;
    add({nulls.first, nulls.count, nulls.column + 1});
    return column.nulls_first ? back : front;
  }

  void sort_by_numbers(const Group& group) {
    const SortColumn& column = column_of(group);
    const size_t end = group.first + group.count;
    const bool is_text = run_.is_text(column.column);
    bool exact = ordinal_of(run_.rows_.type(column.column)) == Ordinal::kExact;
    CommonBeginning common;
    if (is_text) {
      run_.for_steps(group.first, end, [&](size_t from, size_t to) {
        run_.add_texts(column.column, entries_, from, to, &common);
      });
      if (common.all_equal()) return add({group.first, group.count, group.column + 1});
      exact = common.prefix_is_exact();
    }
    const uint64_t flip = column.descending ? UINT64_MAX : 0;
    run_.for_steps(group.first, end, [&](size_t from, size_t to) {
      run_.read_numbers(column.column, entries_, from, to, common.text().size(),
                        [&](size_t i, uint64_t number) { entries_[i].prefix = number ^ flip; });
    });
    run_.sort_by_prefix(entries_ + group.first, group.count, spare_ + group.first);
    for (size_t i = group.first, next = 0; i < end; i = next) {
      for (next = i + 1; next < end && entries_[next].prefix == entries_[i].prefix;) ++next;
      Group equal{i, next - i, group.column};
      if (exact || (!is_text && all_equal(equal))) {
        ++equal.column;
        add(equal);
      } else if (is_text && equal.count < group.count) {
        add(equal);
      } else {
        compare(equal);  // no number tells them apart
      }
    }
  }

  bool all_equal(const Group& group) const {
    for (size_t i = group.first + 1; i < group.first + group.count; ++i) {
      if (run_.sorter_.compare_columns(entries_[i - 1].id, entries_[i].id, group.column, group.column + 1) !=
          0)
        return false;
    }
    return true;
  }

  const Run& run_;
  Entry* const entries_;
  Entry* const spare_;
  std::vector<Group> groups_;  // still to be sorted
  CancelCheck check_;
};

// Rows of equal prefixes by the columns that the prefix does not hold wholly.
void RowSorter::Run::sort_equal_prefixes(std::vector<Entry>& spare) {
  constexpr size_t kPiecesPerPart = 8;  // they take different times
  const size_t pieces = parts_ == 1 ? 1 : parts_ * kPiecesPerPart;
  // Where pieces begin is known before a thread uses prefixes for something else.
  std::vector<size_t> begins(pieces + 1, 0);
  for (size_t piece = 1; piece <= pieces; ++piece)
    begins[piece] = end_of_prefix(entries_.size() * piece / pieces);
  for_parts(pieces, pieces, context_, [&](size_t piece, size_t, size_t) {
    for (size_t i = begins[piece], end = 0; i < begins[piece + 1]; i = end) {
      const uint64_t prefix = entries_[i].prefix;
      for (end = i + 1; end < begins[piece + 1] && entries_[end].prefix == prefix;) ++end;
      if (end - i == 1) continue;
      ColumnSort(*this, entries_.data() + i, spare.data() + i).sort(end - i);
      for (size_t j = i; j < end; ++j) entries_[j].prefix = prefix;
    }
  });
}

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
