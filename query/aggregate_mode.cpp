#include <algorithm>
#include <map>

#include "common/array_value.h"
#include "query/aggregate_values.h"

namespace idem {

namespace {

using namespace aggregate_detail;

// mode: the most frequent value, of several the first.
template <class T>
struct Less {
  TypeId type;
  bool operator()(const T& a, const T& b) const { return compare_elements(type, &a, &b) < 0; }
};

template <class T>
struct Frequencies {
  explicit Frequencies(TypeId type) : entries(Less<T>{type}) {}
  struct Entry {
    int64_t count = 0;
    uint64_t first_seen = 0;
  };
  std::map<T, Entry, Less<T>> entries;
  uint64_t seen = 0;

  void add(const T& value, int64_t count, AggregateArena& arena) {
    auto found = entries.find(value);
    if (found == entries.end()) {
      found = entries.emplace(kept(value, arena), Entry{0, seen}).first;
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
Frequencies<T>& frequencies_of(ModeState<T>& s, const CallTypes& types, AggregateArena& arena) {
  if (s.frequencies == nullptr)
    s.frequencies = arena.own(std::make_unique<Frequencies<T>>(types.arguments[0].id));
  return *s.frequencies;
}

template <class T>
void update_mode(char* states, uint32_t stride, const uint32_t* groups, const CallTypes& types,
                 std::span<const Vector> arguments, uint32_t size, Selection selection,
                 AggregateArena& arena) {
  fold_rows<ModeState<T>, T>(
      states, stride, groups, arguments[0], size, selection,
      [&](ModeState<T>& s, const T& value) { frequencies_of(s, types, arena).add(value, 1, arena); });
}

template <class T>
void combine_mode(char* into, const char* from, const CallTypes& types, AggregateArena& arena) {
  const Frequencies<T>* b = reinterpret_cast<const ModeState<T>*>(from)->frequencies;
  if (b == nullptr) return;
  Frequencies<T>& a = frequencies_of(*reinterpret_cast<ModeState<T>*>(into), types, arena);
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

template <PhysicalType P>
bool bind_mode(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 1) return false;
  const SqlType type = sortable_type(arguments[0]);
  if (physical_type(type) != P) return false;
  types->arguments = {type};
  types->result = type;
  return true;
}

template <class T, PhysicalType P>
void add_mode(FunctionRegistry& r) {
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

void aggregate_detail::register_mode_aggregate(FunctionRegistry& r) {
  for_each_element_type([&]<class T, PhysicalType P>() { add_mode<T, P>(r); });
}

}  // namespace idem
