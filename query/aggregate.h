#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/function.h"

namespace idem {

// Memory of variable size that aggregate states own (strings, sets, arrays), freed as a whole with the operator.
class AggregateArena;

// One aggregate over groups. States are `state_size` bytes each (8-aligned), side by side in memory of the operator:
// the state of group g is at states + g * stride.
//
// init and update must not throw except SqlError for real errors (22003); update handles NULL arguments itself (most skip them).
struct AggregateFunction {
  std::string name;
  uint32_t state_size = 0;
  void (*init)(char* state) = nullptr;  // one state
  // For each selected row r (i-th in the selection): folds arguments[.][r] into the state of group groups[i]. groups null: all into group 0.
  void (*update)(char* states, uint32_t stride, const uint32_t* groups, const CallTypes& types,
                 std::span<const Vector> arguments, uint32_t size, Selection selection,
                 AggregateArena& arena) = nullptr;
  // Adds the state `from` (made by another worker, over rows that come later) to `into`. `from` stays valid.
  void (*combine)(char* into, const char* from, const CallTypes& types, AggregateArena& arena) = nullptr;
  // result[first + i] = final value of group i for i < count.
  void (*finalize)(const char* states, uint32_t stride, uint32_t count, const CallTypes& types,
                   Vector* result, uint32_t first) = nullptr;
  // Rows must arrive in table order (first, last, string_agg without ORDER BY, array_agg …): workers get consecutive morsels and
  // are combined in order.
  bool order_sensitive = false;
  SqlType result;
  bool (*bind)(std::span<const SqlType> arguments, CallTypes* types) = nullptr;
  bool star_allowed = false;  // count(*), count()
};

struct ResolvedAggregate {
  const AggregateFunction* function = nullptr;
  CallTypes types;
};

bool is_aggregate(std::string_view name);
ResolvedAggregate resolve_aggregate(std::string_view name,
                                    std::span<const SqlType> arguments);  // throws as resolve_function

class AggregateArena {
 public:
  AggregateArena();
  ~AggregateArena();
  void* allocate(size_t bytes);  // 8-aligned, zeroed, never freed on its own
  std::string_view copy(std::string_view text);
  // Takes an object with a destructor (hash sets, growing strings); destroyed with the arena.
  template <class T>
  T* own(std::unique_ptr<T> object) {
    T* raw = object.get();
    own_erased(std::shared_ptr<void>(std::move(object)));
    return raw;
  }
  // For what owned objects hold beyond their own size.
  void add_bytes(size_t bytes);
  size_t bytes() const;

 private:
  void own_erased(std::shared_ptr<void> object);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace idem
