#include <algorithm>

#include "common/error.h"
#include "query/aggregate.h"
#include "query/function_registry.h"

namespace idem {

struct AggregateArena::State {
  std::vector<std::unique_ptr<char[]>> blocks;
  char* next = nullptr;
  size_t left = 0;
  size_t bytes = 0;
  std::vector<std::shared_ptr<void>> objects;
};

AggregateArena::AggregateArena() : state_(std::make_unique<State>()) {}
AggregateArena::~AggregateArena() = default;

void* AggregateArena::allocate(size_t bytes) {
  constexpr size_t kBlock = 64 * 1024;
  bytes = (bytes + 7) / 8 * 8;
  if (bytes > state_->left) {
    const size_t size = std::max(bytes, kBlock);
    state_->blocks.push_back(std::make_unique<char[]>(size));  // zeroed
    state_->bytes += size;
    if (bytes >= kBlock) return state_->blocks.back().get();
    state_->next = state_->blocks.back().get();
    state_->left = size;
  }
  void* result = state_->next;
  state_->next += bytes;
  state_->left -= bytes;
  return result;
}

std::string_view AggregateArena::copy(std::string_view text) {
  if (text.empty()) return {};
  auto* to = static_cast<char*>(allocate(text.size()));
  std::copy_n(text.data(), text.size(), to);
  return {to, text.size()};
}

void AggregateArena::own_erased(std::shared_ptr<void> object) {
  constexpr size_t kGuess = 128;  // of a set or string that has yet to grow
  state_->bytes += kGuess;
  state_->objects.push_back(std::move(object));
}

void AggregateArena::add_bytes(size_t bytes) { state_->bytes += bytes; }

size_t AggregateArena::bytes() const { return state_->bytes; }

bool is_aggregate(std::string_view name) {
  return FunctionRegistry::instance().find_aggregate(name) != nullptr;
}

ResolvedAggregate resolve_aggregate(std::string_view name, std::span<const SqlType> arguments) {
  ResolvedAggregate resolved;
  if (const auto* candidates = FunctionRegistry::instance().find_aggregate(name)) {
    // They are in the order in which they are to be tried: exact types first.
    for (const AggregateFunction* candidate : *candidates) {
      resolved.types = {};
      if (candidate->bind(arguments, &resolved.types)) {
        resolved.function = candidate;
        return resolved;
      }
    }
  }
  std::string list;
  for (const SqlType type : arguments) {
    SqlType bare = type;
    bare.modifier = -1;
    list += (list.empty() ? "" : ", ") + format_type(bare);
  }
  throw sql_error(sqlstate::kUndefinedFunction, "function {}({}) does not exist", name, list)
      .with_hint(
          "No function matches the given name and argument types. You might need to add explicit type "
          "casts.");
}

}  // namespace idem
