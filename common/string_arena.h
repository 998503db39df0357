#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace idem {

// Characters that do not move: a bump allocator whose copies stay valid until reset() or destruction.
//
// One thread at a time. Views it returned outlive further copies, and a move of the arena.
class StringArena {
 public:
  StringArena() = default;
  // The first copies go into these characters, which the caller keeps. Not to be moved or reset.
  explicit StringArena(std::span<char> first) : next_(first.data()), left_(first.size()) {}
  StringArena(StringArena&&) noexcept = default;
  StringArena& operator=(StringArena&&) noexcept = default;

  std::string_view copy(std::string_view text);
  // Uninitialised characters for the caller to fill.
  char* allocate(size_t bytes) {
    if (bytes > left_) return allocate_slow(bytes);
    char* result = next_;
    next_ += bytes;
    left_ -= bytes;
    return result;
  }
  // Forgets every copy; keeps one block for reuse.
  void reset();
  // Memory held, used or not.
  size_t bytes() const { return bytes_; }
  // What copies of so many characters, each text short, may take beside.
  size_t next_growth(size_t characters) const {
    return characters <= left_ ? 0 : std::max(next_block(), characters);
  }

 private:
  struct Block {
    std::unique_ptr<char[]> data;
    size_t size = 0;
  };
  char* allocate_slow(size_t bytes);
  size_t next_block() const;

  std::vector<Block> blocks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t bytes_ = 0;
};

}  // namespace idem
