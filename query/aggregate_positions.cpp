#include "query/aggregate_kernels.h"

namespace idem {

namespace {

using namespace aggregate_detail;

// first, last and their forms that pass over NULLs. Rows come in table order.
template <class T>
struct PositionState {
  Kept<T> kept;
  uint64_t found = 0;  // 1: a value; 2: NULL
};

enum class Which : uint8_t { kFirst, kLast };

template <class T>
void keep(PositionState<T>& s, const Vector& v, uint32_t row, AggregateArena& arena) {
  if (v.is_valid(row)) {
    s.kept.set(v.values<T>()[v.is_constant() ? 0 : row], arena);
    s.found = 1;
  } else {
    s.found = 2;
  }
}

template <class T, Which kWhich, bool kNotNull>
void update_position(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                     std::span<const Vector> arguments, uint32_t size, Selection selection,
                     AggregateArena& arena) {
  const Vector v = plain(arguments[0], size, selection);
  using State = PositionState<T>;
  if (groups == nullptr) {
    auto& s = *reinterpret_cast<State*>(states);
    if (kWhich == Which::kFirst && s.found != 0) return;
    for (uint32_t n = 0; n < selection.count; ++n) {
      const uint32_t row = selection[kWhich == Which::kFirst ? n : selection.count - 1 - n];
      if (kNotNull && !v.is_valid(row)) continue;
      return keep(s, v, row, arena);
    }
    return;
  }
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    auto& s = state_at<State>(states, stride, groups, i);
    if (kWhich == Which::kFirst && s.found != 0) continue;
    if (kNotNull && !v.is_valid(row)) continue;
    keep(s, v, row, arena);
  }
}

template <class T, Which kWhich>
void combine_position(char* into, const char* from, const CallTypes&, AggregateArena& arena) {
  auto& a = *reinterpret_cast<PositionState<T>*>(into);
  const auto& b = *reinterpret_cast<const PositionState<T>*>(from);
  if (b.found == 0 || (kWhich == Which::kFirst && a.found != 0)) return;
  if (b.found == 1) a.kept.set(b.kept.get(), arena);
  a.found = b.found;
}

template <class T>
void finalize_position(const char* states, uint32_t stride, uint32_t count, const CallTypes&, Vector* result,
                       uint32_t first) {
  using State = PositionState<T>;
  finalize_states<State>(states, stride, count, result, first,
                         [](ResultWriter& out, uint32_t i, const State& s) {
                           if (s.found != 1) return out.set_null(i);
                           write_kept<T>(out, i, s.kept);
                         });
}

template <PhysicalType P>
bool bind_position(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 1) return false;
  const bool as_text = arguments[0].id == TypeId::kSymbol || arguments[0].id == TypeId::kUnknown;
  const SqlType type =
      as_text ? SqlType(arguments[0].id == TypeId::kSymbol ? TypeId::kVarchar : TypeId::kText) : arguments[0];
  if (physical_type(type) != P) return false;
  types->arguments = {type};
  types->result = type;
  return true;
}

template <class T, PhysicalType P, Which kWhich, bool kNotNull>
void add_positions(FunctionRegistry& r, std::string_view name) {
  AggregateFunction f;
  f.name = name;
  f.state_size = sizeof(PositionState<T>);
  f.init = init_state<PositionState<T>>;
  f.update = update_position<T, kWhich, kNotNull>;
  f.combine = combine_position<T, kWhich>;
  f.finalize = finalize_position<T>;
  f.bind = bind_position<P>;
  f.order_sensitive = true;
  r.add_aggregate(std::move(f));
}

template <class T, PhysicalType P>
void add_all(FunctionRegistry& r) {
  add_positions<T, P, Which::kFirst, false>(r, "first");
  add_positions<T, P, Which::kLast, false>(r, "last");
  add_positions<T, P, Which::kFirst, true>(r, "first_not_null");
  add_positions<T, P, Which::kFirst, true>(r, "any_value");
  add_positions<T, P, Which::kLast, true>(r, "last_not_null");
}

}  // namespace

void register_position_aggregates(FunctionRegistry& r) {
  for_each_element_type([&]<class T, PhysicalType P>() { add_all<T, P>(r); });
}

}  // namespace idem
