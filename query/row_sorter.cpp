#include "query/row_sorter.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "common/array_value.h"
#include "common/worker_pool.h"
#include "query/sort_threshold.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

constexpr size_t kRadixRows = 2048;

// The first bytes of a string as a number; shorter strings are filled up with zeros.
uint64_t string_prefix(std::string_view text) {
  uint64_t prefix = 0;
  std::memcpy(&prefix, text.data(), std::min<size_t>(text.size(), 8));
  return __builtin_bswap64(prefix);
}

// How many bits of the prefix a column fills when it is among the first, and whether these tell all.
struct PrefixWidth {
  uint32_t bits = 0;
  bool exact = false;
};
PrefixWidth prefix_width(SqlType type) {
  switch (physical_type(type)) {
    case PhysicalType::kBool: return {1, true};
    case PhysicalType::kInt16: return {16, true};
    case PhysicalType::kInt32:
      if (type.id == TypeId::kSymbol) return {64, false};
      return {32, true};
    case PhysicalType::kInt64: return {64, true};
    case PhysicalType::kFloat: return {64, true};
    case PhysicalType::kDouble: return {64, true};
    case PhysicalType::kString:
      if (type.id == TypeId::kArray || type.id == TypeId::kInt2Vector || type.id == TypeId::kChar) return {0, false};
      return {64, false};
    default: return {0, false};
  }
}

uint64_t prefix_of(const RowStore& rows, uint32_t column, uint32_t id) {
  const SqlType type = rows.type(column);
  switch (physical_type(type)) {
    case PhysicalType::kBool: return rows.value<uint8_t>(column, id);
    case PhysicalType::kInt16: return static_cast<uint16_t>(rows.value<int16_t>(column, id)) ^ 0x8000u;
    case PhysicalType::kInt32: {
      const auto value = rows.value<int32_t>(column, id);
      if (type.id == TypeId::kSymbol) return string_prefix(rows.dictionary(column)->at(value));
      if (is_oid_like(type.id)) return static_cast<uint32_t>(value);
      return static_cast<uint32_t>(value) ^ 0x80000000u;
    }
    case PhysicalType::kInt64: return ordered_bits(rows.value<int64_t>(column, id));
    case PhysicalType::kFloat: return ordered_bits(static_cast<double>(rows.value<float>(column, id)));
    case PhysicalType::kDouble: return ordered_bits(rows.value<double>(column, id));
    case PhysicalType::kString: return string_prefix(rows.value<std::string_view>(column, id));
    default: return 0;
  }
}

bool any_null(const RowStore& rows, uint32_t column, const std::vector<uint32_t>& ids) {
  return std::any_of(ids.begin(), ids.end(), [&](uint32_t id) { return !rows.is_valid(column, id); });
}

}  // namespace

RowSorter::RowSorter(const RowStore& rows, std::vector<SortColumn> columns) : rows_(rows), columns_(std::move(columns)) {}

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

int RowSorter::compare(uint32_t a, uint32_t b) const { return compare_columns(a, b, 0, columns_.size()); }

bool RowSorter::before(const Entry& a, const Entry& b) const {
  if (a.prefix != b.prefix) return a.prefix < b.prefix;
  const int order = compare_columns(a.id, b.id, exact_columns_, columns_.size());
  return order != 0 ? order < 0 : a.id < b.id;
}

void RowSorter::sort_part(Entry* entries, size_t count, std::vector<Entry>& spare) const {
  const auto less = [this](const Entry& a, const Entry& b) { return before(a, b); };
  bool sorted = true;
  for (size_t i = 1; i < count && sorted; ++i) sorted = !before(entries[i], entries[i - 1]);
  if (sorted) return;
  if (count < kRadixRows) {
    std::sort(entries, entries + count, less);
    return;
  }
  // Least significant byte first, leaving out bytes that are the same everywhere.
  spare.resize(count);
  std::array<std::array<uint32_t, 256>, 8> histogram{};
  for (size_t i = 0; i < count; ++i) {
    for (size_t byte = 0; byte < 8; ++byte) ++histogram[byte][(entries[i].prefix >> (byte * 8)) & 0xff];
  }
  Entry* from = entries;
  Entry* to = spare.data();
  for (size_t byte = 0; byte < 8; ++byte) {
    std::array<uint32_t, 256>& counts = histogram[byte];
    if (std::any_of(counts.begin(), counts.end(), [&](uint32_t n) { return n == count; })) continue;
    uint32_t sum = 0;
    for (uint32_t& n : counts) sum += std::exchange(n, sum);
    for (size_t i = 0; i < count; ++i) to[counts[(from[i].prefix >> (byte * 8)) & 0xff]++] = from[i];
    std::swap(from, to);
  }
  if (from != entries) std::copy(from, from + count, entries);
  if (exact_columns_ == columns_.size()) return;
  for (size_t i = 0; i < count;) {
    size_t end = i + 1;
    while (end < count && entries[end].prefix == entries[i].prefix) ++end;
    if (end - i > 1) std::sort(entries + i, entries + end, less);
    i = end;
  }
}

void RowSorter::sort(std::vector<uint32_t>* ids, const ExecutionContext& context) const {
  const size_t count = ids->size();
  if (count < 2 || columns_.empty()) return;
  RowSorter self(*this);  // with what these rows allow the prefix to hold
  OperatorMemory memory(context.memory);
  memory.set(count * (2 * sizeof(Entry)));
  std::vector<Entry> entries(count);
  for (size_t i = 0; i < count; ++i) entries[i] = {0, (*ids)[i]};

  // Leading columns go into the prefix from its high bits down. A column with NULLs takes one more bit, in front of its value.
  uint32_t left = 64;
  self.exact_columns_ = 0;
  for (size_t c = 0; c < columns_.size() && left > 0; ++c) {
    const SortColumn& column = columns_[c];
    PrefixWidth width = prefix_width(rows_.type(column.column));
    if (width.bits == 0) break;
    const bool nulls = any_null(rows_, column.column, *ids);
    const uint32_t needed = width.bits + (nulls ? 1 : 0);
    uint32_t dropped = 0;
    if (needed > left) {  // keep its high bits, and compare the rest
      dropped = needed - left;
      if (dropped >= width.bits) break;
      width.exact = false;
    }
    const uint32_t shift = left > needed ? left - needed : 0;
    const uint64_t mask = width.bits == 64 ? UINT64_MAX : (uint64_t{1} << width.bits) - 1;
    const uint64_t flip = column.descending ? mask : 0;
    const uint32_t value_bits = width.bits - dropped;
    for (Entry& entry : entries) {
      uint64_t bits = 0;
      if (nulls) {
        const bool valid = rows_.is_valid(column.column, entry.id);
        const uint64_t marker = valid == column.nulls_first ? 1 : 0;
        if (valid) bits = (prefix_of(rows_, column.column, entry.id) ^ flip) >> dropped;
        if (value_bits < 64) bits |= marker << value_bits;
      } else {
        bits = (prefix_of(rows_, column.column, entry.id) ^ flip) >> dropped;
      }
      entry.prefix |= bits << shift;
    }
    left = shift;
    if (!width.exact) break;
    ++self.exact_columns_;
  }

  const size_t parts = context.workers && count >= 4 * kRadixRows
                           ? static_cast<size_t>(std::max(context.worker_count, 1))
                           : 1;
  if (parts == 1) {
    std::vector<Entry> spare;
    self.sort_part(entries.data(), count, spare);
  } else {
    context.workers->parallel_run(parts, [&](size_t part) {
      if (context.cancel) context.cancel->check();
      std::vector<Entry> spare;
      const size_t first = count * part / parts;
      self.sort_part(entries.data() + first, count * (part + 1) / parts - first, spare);
    });
    std::vector<Entry> merged(count);
    for (size_t width = 1; width < parts; width *= 2) {
      for (size_t part = 0; part < parts; part += 2 * width) {
        const size_t first = count * part / parts;
        const size_t middle = count * std::min(part + width, parts) / parts;
        const size_t end = count * std::min(part + 2 * width, parts) / parts;
        std::merge(entries.begin() + static_cast<ptrdiff_t>(first), entries.begin() + static_cast<ptrdiff_t>(middle),
                   entries.begin() + static_cast<ptrdiff_t>(middle), entries.begin() + static_cast<ptrdiff_t>(end),
                   merged.begin() + static_cast<ptrdiff_t>(first),
                   [&](const Entry& a, const Entry& b) { return self.before(a, b); });
      }
      entries.swap(merged);
    }
  }
  for (size_t i = 0; i < count; ++i) (*ids)[i] = entries[i].id;
}

}  // namespace idem
