#include <algorithm>
#include <cmath>
#include <map>

#include "common/array_value.h"
#include "common/error.h"
#include "query/aggregate_kernels.h"

namespace idem {

namespace {

using namespace aggregate_detail;

// All values of a group and the fraction asked for; approx_percentile is exact here.
//
// percentile_cont(f) WITHIN GROUP (ORDER BY x) has the arguments (f, x), and its rows come in that order;
// approx_percentile is (x, f). Values that come unordered are sorted.
template <class T>
struct Values {
  std::vector<T> items;
  double fraction = 0.5;
  bool has_fraction = false;
};

template <class T>
struct ValuesState {
  Values<T>* values = nullptr;
};

template <class T>
Values<T>& values_of(ValuesState<T>& s, AggregateArena& arena) {
  if (s.values == nullptr) s.values = arena.own(std::make_unique<Values<T>>());
  return *s.values;
}

template <class T>
T stored(const T& value, AggregateArena& arena) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return arena.copy(value);
  } else {
    return value;
  }
}

void check_fraction(double fraction) {
  if (!(0 <= fraction && fraction <= 1)) {
    throw sql_error(sqlstate::kNumericValueOutOfRange, "percentile value {} is not between 0 and 1",
                    fraction);
  }
}

template <class T, size_t kValueAt>
void update_values(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                   std::span<const Vector> arguments, uint32_t size, Selection selection,
                   AggregateArena& arena) {
  const Vector values = plain(arguments[kValueAt], size, selection),
               fractions = plain(arguments[1 - kValueAt], size, selection);
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    Values<T>& all = values_of(state_at<ValuesState<T>>(states, stride, groups, i), arena);
    if (!all.has_fraction && fractions.is_valid(row)) {
      all.fraction = fractions.values<double>()[fractions.is_constant() ? 0 : row];
      all.has_fraction = true;
      check_fraction(all.fraction);
    }
    if (!values.is_valid(row)) continue;
    const size_t before = all.items.capacity();
    all.items.push_back(stored(values.values<T>()[values.is_constant() ? 0 : row], arena));
    arena.add_bytes((all.items.capacity() - before) * sizeof(T));
  }
}

template <class T>
void combine_values(char* into, const char* from, const CallTypes&, AggregateArena& arena) {
  const Values<T>* b = reinterpret_cast<const ValuesState<T>*>(from)->values;
  if (b == nullptr) return;
  Values<T>& a = values_of(*reinterpret_cast<ValuesState<T>*>(into), arena);
  for (const T& item : b->items) a.items.push_back(stored(item, arena));
  arena.add_bytes(b->items.size() * sizeof(T));
  if (b->has_fraction) {
    a.fraction = b->fraction;
    a.has_fraction = true;
  }
}

template <class T>
std::vector<T> ordered(const std::vector<T>& items, SqlType type) {
  const auto less = [&](const T& a, const T& b) { return compare_elements(type.id, &a, &b) < 0; };
  const auto greater = [&](const T& a, const T& b) { return compare_elements(type.id, &a, &b) > 0; };
  std::vector<T> sorted = items;
  if (!std::is_sorted(sorted.begin(), sorted.end(), greater))
    std::stable_sort(sorted.begin(), sorted.end(), less);
  return sorted;
}

template <class T, size_t kValueAt, bool kContinuous>
void finalize_values(const char* states, uint32_t stride, uint32_t count, const CallTypes& types,
                     Vector* result, uint32_t first) {
  finalize_states<ValuesState<T>>(
      states, stride, count, result, first, [&](ResultWriter& out, uint32_t i, const ValuesState<T>& s) {
        if (s.values == nullptr || s.values->items.empty() || !s.values->has_fraction) return out.set_null(i);
        const std::vector<T> sorted = ordered(s.values->items, types.arguments[kValueAt]);
        const auto n = static_cast<double>(sorted.size());
        if constexpr (kContinuous && std::is_same_v<T, double>) {
          const double position = s.values->fraction * (n - 1);
          const double below = std::floor(position), above = std::ceil(position);
          const double low = sorted[static_cast<size_t>(below)], high = sorted[static_cast<size_t>(above)];
          out.set<double>(i, below == above ? low : low + (position - below) * (high - low));
        } else {
          const double position = std::ceil(s.values->fraction * n);
          const T& value = sorted[position < 1 ? 0 : static_cast<size_t>(position) - 1];
          if constexpr (std::is_same_v<T, std::string_view>) {
            out.set_text(i, value);
          } else {
            out.set<T>(i, value);
          }
        }
      });
}

// ---- mode: the most frequent value, of several the first

template <class T>
struct Less {
  bool operator()(const T& a, const T& b) const {
    if constexpr (std::is_same_v<T, Decimal> || std::is_same_v<T, Interval>) {
      return compare(a, b) < 0;
    } else {
      return a < b;
    }
  }
};

template <class T>
struct Frequencies {
  struct Entry {
    int64_t count = 0;
    uint64_t first_seen = 0;
  };
  std::map<T, Entry, Less<T>> entries;
  uint64_t seen = 0;

  void add(const T& value, int64_t count, AggregateArena& arena) {
    auto found = entries.find(value);
    if (found == entries.end()) {
      found = entries.emplace(stored(value, arena), Entry{0, seen}).first;
      arena.add_bytes(sizeof(T) + 64);
    }
    ++seen;
    found->second.count += count;
  }
};

template <class T>
struct ModeState {
  Frequencies<T>* frequencies = nullptr;
};

template <class T>
Frequencies<T>& frequencies_of(ModeState<T>& s, AggregateArena& arena) {
  if (s.frequencies == nullptr) s.frequencies = arena.own(std::make_unique<Frequencies<T>>());
  return *s.frequencies;
}

template <class T>
void update_mode(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                 std::span<const Vector> arguments, uint32_t size, Selection selection,
                 AggregateArena& arena) {
  fold_rows<ModeState<T>, T>(
      states, stride, groups, arguments[0], size, selection,
      [&](ModeState<T>& s, const T& value) { frequencies_of(s, arena).add(value, 1, arena); });
}

template <class T>
void combine_mode(char* into, const char* from, const CallTypes&, AggregateArena& arena) {
  const Frequencies<T>* b = reinterpret_cast<const ModeState<T>*>(from)->frequencies;
  if (b == nullptr) return;
  Frequencies<T>& a = frequencies_of(*reinterpret_cast<ModeState<T>*>(into), arena);
  const uint64_t base = a.seen;
  for (const auto& [value, entry] : b->entries) {
    const bool is_new = a.entries.find(value) == a.entries.end();
    a.add(value, entry.count, arena);
    if (is_new) a.entries.find(value)->second.first_seen = base + entry.first_seen;
  }
  a.seen = base + b->seen;
}

template <class T>
void finalize_mode(const char* states, uint32_t stride, uint32_t count, const CallTypes&, Vector* result,
                   uint32_t first) {
  finalize_states<ModeState<T>>(
      states, stride, count, result, first, [](ResultWriter& out, uint32_t i, const ModeState<T>& s) {
        if (s.frequencies == nullptr) return out.set_null(i);
        const auto best = std::max_element(
            s.frequencies->entries.begin(), s.frequencies->entries.end(), [](const auto& a, const auto& b) {
              return a.second.count != b.second.count ? a.second.count < b.second.count
                                                      : a.second.first_seen > b.second.first_seen;
            });
        if constexpr (std::is_same_v<T, std::string_view>) {
          out.set_text(i, best->first);
        } else {
          out.set<T>(i, best->first);
        }
      });
}

// ---- registration

bool is_number(SqlType t) { return is_numeric(t.id) || t.id == TypeId::kUnknown; }

// approx_percentile(x, f[, precision])
bool bind_approximate(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2 && arguments.size() != 3) return false;
  if (!is_number(arguments[0]) || !is_number(arguments[1])) return false;
  types->arguments.assign(2, SqlType(TypeId::kDouble));
  if (arguments.size() == 3) types->arguments.push_back(TypeId::kInteger);
  types->result = TypeId::kDouble;
  return true;
}
bool bind_continuous(std::span<const SqlType> arguments, CallTypes* types) {
  return bind_doubles(arguments, types, 2, TypeId::kDouble);
}
SqlType value_type(SqlType type) {
  return type.id == TypeId::kSymbol || type.id == TypeId::kUnknown ? SqlType(TypeId::kText) : type;
}
template <PhysicalType P>
bool bind_discrete(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2 || !is_number(arguments[0]) || physical_type(value_type(arguments[1])) != P)
    return false;
  types->arguments = {TypeId::kDouble, value_type(arguments[1])};
  types->result = types->arguments[1];
  return true;
}
template <PhysicalType P>
bool bind_mode(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 1 || physical_type(value_type(arguments[0])) != P) return false;
  types->arguments = {value_type(arguments[0])};
  types->result = types->arguments[0];
  return true;
}

template <class T, size_t kValueAt, bool kContinuous>
void add_percentile(FunctionRegistry& r, std::string_view name,
                    bool (*bind)(std::span<const SqlType>, CallTypes*)) {
  AggregateFunction f;
  f.name = name;
  f.state_size = sizeof(ValuesState<T>);
  f.init = init_state<ValuesState<T>>;
  f.update = update_values<T, kValueAt>;
  f.combine = combine_values<T>;
  f.finalize = finalize_values<T, kValueAt, kContinuous>;
  f.bind = bind;
  r.add_aggregate(std::move(f));
}

template <class T, PhysicalType P>
void add_any(FunctionRegistry& r) {
  // Decimals are aligned to 16 bytes by the vector that holds them.
  add_percentile<T, 1, false>(r, "percentile_disc", bind_discrete<P>);
  AggregateFunction f;
  f.name = "mode";
  f.state_size = sizeof(ModeState<T>);
  f.init = init_state<ModeState<T>>;
  f.update = update_mode<T>;
  f.combine = combine_mode<T>;
  f.finalize = finalize_mode<T>;
  f.bind = bind_mode<P>;
  f.order_sensitive = true;
  r.add_aggregate(std::move(f));
}

}  // namespace

void register_percentile_aggregates(FunctionRegistry& r) {
  add_percentile<double, 0, true>(r, "approx_percentile", bind_approximate);
  add_percentile<double, 1, true>(r, "percentile_cont", bind_continuous);
  add_any<uint8_t, PhysicalType::kBool>(r);
  add_any<int16_t, PhysicalType::kInt16>(r);
  add_any<int32_t, PhysicalType::kInt32>(r);
  add_any<int64_t, PhysicalType::kInt64>(r);
  add_any<float, PhysicalType::kFloat>(r);
  add_any<double, PhysicalType::kDouble>(r);
  add_any<Decimal, PhysicalType::kDecimal>(r);
  add_any<Interval, PhysicalType::kInterval>(r);
  add_any<Uuid, PhysicalType::kUuid>(r);
  add_any<std::string_view, PhysicalType::kString>(r);
}

}  // namespace idem
