#include "common/string_arena.h"

#include <algorithm>
#include <cstring>

namespace idem {

namespace {
constexpr size_t kFirstBlock = 256;
constexpr size_t kLargestGrowth = 1 << 20;
}  // namespace

std::string_view StringArena::copy(std::string_view text) {
  if (text.empty()) return {};
  char* out = allocate(text.size());
  std::memcpy(out, text.data(), text.size());
  return {out, text.size()};
}

size_t StringArena::next_block() const { return std::clamp(bytes_ / 2, kFirstBlock, kLargestGrowth); }

char* StringArena::allocate_slow(size_t bytes) {
  const size_t size = std::max(next_block(), bytes);
  blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
  bytes_ += size;
  next_ = blocks_.back().data.get() + bytes;
  left_ = size - bytes;
  return blocks_.back().data.get();
}

void StringArena::reset() {
  if (blocks_.empty()) return;
  if (blocks_.size() > 1) {
    blocks_.front() = std::move(blocks_.back());
    blocks_.resize(1);
  }
  next_ = blocks_.front().data.get();
  left_ = bytes_ = blocks_.front().size;
}

}  // namespace idem
