#include "query/aggregate_kernels.h"

namespace idem {

namespace {

using namespace aggregate_detail;

template <class T>
struct BitState {
  T value{};
  bool found = false;
};

enum class Operation : uint8_t { kAnd, kOr, kXor };

template <class T, Operation kOperation>
void fold(BitState<T>& s, T value) {
  if (!s.found) {
    s.value = value;
    s.found = true;
  } else if constexpr (kOperation == Operation::kAnd) {
    s.value = static_cast<T>(s.value & value);
  } else if constexpr (kOperation == Operation::kOr) {
    s.value = static_cast<T>(s.value | value);
  } else {
    s.value = static_cast<T>(s.value ^ value);
  }
}

template <class T, Operation kOperation>
void update_bits(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                 std::span<const Vector> arguments, uint32_t size, Selection selection, AggregateArena&) {
  fold_rows<BitState<T>, T>(states, stride, groups, arguments[0], size, selection,
                            [](BitState<T>& s, T value) { fold<T, kOperation>(s, value); });
}

template <class T, Operation kOperation>
void combine_bits(char* into, const char* from, const CallTypes&, AggregateArena&) {
  const auto& b = *reinterpret_cast<const BitState<T>*>(from);
  if (b.found) fold<T, kOperation>(*reinterpret_cast<BitState<T>*>(into), b.value);
}

template <class T>
void finalize_bits(const char* states, uint32_t stride, uint32_t count, const CallTypes&, Vector* result,
                   uint32_t first) {
  finalize_states<BitState<T>>(states, stride, count, result, first,
                               [](ResultWriter& out, uint32_t i, const BitState<T>& s) {
                                 if (!s.found) return out.set_null(i);
                                 out.set<T>(i, s.value);
                               });
}

template <class T, TypeId kType, Operation kOperation>
void add_logical(FunctionRegistry& r, std::string_view name) {
  AggregateFunction f;
  f.name = name;
  f.state_size = sizeof(BitState<T>);
  f.init = init_state<BitState<T>>;
  f.update = update_bits<T, kOperation>;
  f.combine = combine_bits<T, kOperation>;
  f.finalize = finalize_bits<T>;
  f.bind = bind_one<kType, kType>;
  r.add_aggregate(std::move(f));
}

template <class T, TypeId kType>
void add_integer(FunctionRegistry& r) {
  add_logical<T, kType, Operation::kAnd>(r, "bit_and");
  add_logical<T, kType, Operation::kOr>(r, "bit_or");
  add_logical<T, kType, Operation::kXor>(r, "bit_xor");
}

}  // namespace

void register_logical_aggregates(FunctionRegistry& r) {
  add_logical<uint8_t, TypeId::kBoolean, Operation::kAnd>(r, "bool_and");
  add_logical<uint8_t, TypeId::kBoolean, Operation::kAnd>(r, "every");
  add_logical<uint8_t, TypeId::kBoolean, Operation::kOr>(r, "bool_or");
  add_integer<int16_t, TypeId::kSmallInt>(r);
  add_integer<int32_t, TypeId::kInteger>(r);
  add_integer<int64_t, TypeId::kBigInt>(r);
}

}  // namespace idem
