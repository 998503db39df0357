#include <algorithm>
#include <cmath>
#include <optional>

#include "common/array_value.h"
#include "common/error.h"
#include "query/aggregate_values.h"

namespace idem {

namespace {

using namespace aggregate_detail;

// All values of a group and the fractions asked for; approx_percentile is exact here.
//
// percentile_cont(f) WITHIN GROUP (ORDER BY x) has the arguments (f, x), and its rows come in that order; f may be an
// array, which asks for an array of results. approx_percentile is (x, f), its rows come in any order.
template <class T>
struct Values {
  std::vector<T> items;
  std::vector<std::optional<double>> fractions;
  bool has_fractions = false;  // of an array they may be none
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

double checked_fraction(double fraction) {
  if (0 <= fraction && fraction <= 1) return fraction;
  throw sql_error(sqlstate::kNumericValueOutOfRange, "percentile value {} is not between 0 and 1", fraction);
}

std::vector<std::optional<double>> fractions_at(const Vector& fractions, uint32_t row) {
  const uint32_t at = fractions.is_constant() ? 0 : row;
  if (fractions.type.id != TypeId::kArray) return {checked_fraction(fractions.values<double>()[at])};
  std::vector<std::optional<double>> found;
  const ArrayView array(fractions.values<std::string_view>()[at]);
  for (uint32_t i = 0; i < array.size(); ++i) {
    double fraction = 0;
    if (!array.is_null(i)) array.element_at(i, &fraction);
    found.push_back(array.is_null(i) ? std::nullopt : std::optional(checked_fraction(fraction)));
  }
  return found;
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
    if (!all.has_fractions && fractions.is_valid(row)) {
      all.fractions = fractions_at(fractions, row);
      all.has_fractions = true;
    }
    if (!values.is_valid(row)) continue;
    const size_t before = all.items.capacity();
    all.items.push_back(kept(values.values<T>()[values.is_constant() ? 0 : row], arena));
    arena.add_bytes((all.items.capacity() - before) * sizeof(T));
  }
}

template <class T>
void combine_values(char* into, const char* from, const CallTypes&, AggregateArena& arena) {
  const Values<T>* b = reinterpret_cast<const ValuesState<T>*>(from)->values;
  if (b == nullptr) return;
  Values<T>& a = values_of(*reinterpret_cast<ValuesState<T>*>(into), arena);
  for (const T& item : b->items) a.items.push_back(kept(item, arena));
  arena.add_bytes(b->items.size() * sizeof(T));
  if (!a.has_fractions) {
    a.fractions = b->fractions;
    a.has_fractions = b->has_fractions;
  }
}

template <class T>
std::vector<T> ordered(const std::vector<T>& items, SqlType type) {
  std::vector<T> sorted = items;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const T& a, const T& b) { return compare_elements(type.id, &a, &b) < 0; });
  return sorted;
}

double between(double low, double high, double share) { return low + share * (high - low); }
Interval between(const Interval& low, const Interval& high, double share) {
  return add(low, multiply(subtract(high, low), share));
}

template <class T, bool kContinuous>
T percentile(const std::vector<T>& sorted, double fraction) {
  const auto n = static_cast<double>(sorted.size());
  if constexpr (kContinuous) {
    const double position = fraction * (n - 1), below = std::floor(position), above = std::ceil(position);
    const T& low = sorted[static_cast<size_t>(below)];
    return below == above ? low : between(low, sorted[static_cast<size_t>(above)], position - below);
  } else {
    const double position = std::ceil(fraction * n);
    return sorted[position < 1 ? 0 : static_cast<size_t>(position) - 1];
  }
}

template <class T, size_t kValueAt, bool kContinuous>
void finalize_values(const char* states, uint32_t stride, uint32_t count, const CallTypes& types,
                     Vector* result, uint32_t first) {
  const SqlType type = types.arguments[kValueAt];
  finalize_states<ValuesState<T>>(
      states, stride, count, result, first, [&](ResultWriter& out, uint32_t i, const ValuesState<T>& s) {
        if (s.values == nullptr || s.values->items.empty() || !s.values->has_fractions)
          return out.set_null(i);
        std::vector<T> unordered;
        if (kValueAt == 0) unordered = ordered(s.values->items, type);
        const std::vector<T>& sorted = kValueAt == 0 ? unordered : s.values->items;
        if (types.result.id == TypeId::kArray && types.arguments[1 - kValueAt].id == TypeId::kArray) {
          ArrayBuilder array(types.result.element);
          for (const std::optional<double>& fraction : s.values->fractions) {
            if (fraction) {
              const T value = percentile<T, kContinuous>(sorted, *fraction);
              array.append(&value);
            } else {
              array.append_null();
            }
          }
          return out.set_text(i, array.finish());
        }
        const T value = percentile<T, kContinuous>(sorted, *s.values->fractions[0]);
        if constexpr (std::is_same_v<T, std::string_view>) {
          out.set_text(i, value);
        } else {
          out.set<T>(i, value);
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

// (f, x) or (array of f, x) for values of one type.
bool bind_fractions(std::span<const SqlType> arguments, SqlType value, CallTypes* types) {
  const SqlType fraction = arguments[0];
  const bool several = fraction.id == TypeId::kArray && is_numeric(fraction.element);
  if (!several && !is_number(fraction)) return false;
  if (several && value.id == TypeId::kArray) return false;  // the result would have two dimensions
  types->arguments = {several ? SqlType::array_of(TypeId::kDouble) : SqlType(TypeId::kDouble), value};
  types->result = several ? SqlType::array_of(value.id) : value;
  return true;
}
bool bind_continuous(std::span<const SqlType> arguments, CallTypes* types) {
  return arguments.size() == 2 && is_number(arguments[1]) &&
         bind_fractions(arguments, TypeId::kDouble, types);
}
bool bind_intervals(std::span<const SqlType> arguments, CallTypes* types) {
  return arguments.size() == 2 && arguments[1].id == TypeId::kInterval &&
         bind_fractions(arguments, TypeId::kInterval, types);
}
template <PhysicalType P>
bool bind_discrete(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2) return false;
  const SqlType value = sortable_type(arguments[1]);
  return physical_type(value) == P && bind_fractions(arguments, value, types);
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
  f.order_sensitive = kValueAt == 1;
  r.add_aggregate(std::move(f));
}

template <class T, PhysicalType P>
void add_discrete(FunctionRegistry& r) {
  // Decimals are aligned to 16 bytes by the vector that holds them.
  add_percentile<T, 1, false>(r, "percentile_disc", bind_discrete<P>);
}

}  // namespace

void register_percentile_aggregates(FunctionRegistry& r) {
  register_mode_aggregate(r);
  add_percentile<double, 0, true>(r, "approx_percentile", bind_approximate);
  add_percentile<double, 1, true>(r, "percentile_cont", bind_continuous);
  add_percentile<Interval, 1, true>(r, "percentile_cont", bind_intervals);
  for_each_element_type([&]<class T, PhysicalType P>() { add_discrete<T, P>(r); });
}

}  // namespace idem
