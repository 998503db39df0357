#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/segment_footer.h"
#include "storage/vector.h"

namespace idem {

// What a block's bytes do not say themselves.
struct VectorContext {
  SqlType type;                  // of the output; physically that of the column
  uint32_t rows = 0;             // in this vector
  uint32_t dictionary_size = 0;  // SYMBOL: codes must be below this
};

// A block of a column chunk as it is in the file: consecutive encoded vectors (docs/format/segment.md,
// "Block"). Immutable; its checksums were verified. Views into its bytes are given to vectors, with the block
// as their owner.
class EncodedBlock : public std::enable_shared_from_this<EncodedBlock> {
 public:
  // Verifies every checksum and size. Throws BlockDamage.
  static std::shared_ptr<const EncodedBlock> parse(std::unique_ptr<char[]> bytes,
                                                   const BlockLocation& location);

  // Decodes vector `index` of the block into `out`'s buffer. Throws SqlError XX001 without the file's name.
  void decode(uint32_t index, const VectorContext& context, Vector* out) const;

  uint32_t vector_count() const { return static_cast<uint32_t>(ends_.size()); }
  size_t vector_offset(uint32_t index) const { return index == 0 ? vectors_begin_ : ends_[index - 1]; }
  size_t vector_size(uint32_t index) const { return ends_[index] - vector_offset(index); }
  size_t memory_bytes() const;

  // For the cache's second chance: whether somebody used the block since the last call.
  void mark_used() const {
    if (!used_.load(std::memory_order_relaxed)) used_.store(true, std::memory_order_relaxed);
  }
  bool take_used() const { return used_.exchange(false, std::memory_order_relaxed); }

 private:
  EncodedBlock() = default;

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  uint64_t vectors_begin_ = 0;
  std::vector<uint64_t> ends_;
  std::vector<std::string_view> dictionary_;
  mutable std::atomic<bool> used_{true};
};

// Why a block is damaged, and where within it.
struct BlockDamage {
  size_t offset = 0;
  std::string why;
};

// Puts blocks together.
class BlockBuilder {
 public:
  void begin(const std::string& parameters);
  // Takes a vector's encoding.
  void add(std::string_view vector);
  uint32_t vector_count() const { return static_cast<uint32_t>(sizes_.size()); }
  size_t size() const;
  // Appends the block, and says where it is but for the offset in the file and the first vector.
  BlockLocation finish(std::string* out);

 private:
  std::string parameters_, vectors_;
  std::vector<uint64_t> sizes_;
  std::vector<uint32_t> crcs_;
};

// The bytes of one vector; `dictionary` is what the block's parameters hold, `owner` keeps both alive.
void decode_vector(std::string_view bytes, const VectorContext& context,
                   const std::vector<std::string_view>& dictionary, const std::shared_ptr<const void>& owner,
                   Vector* out);

}  // namespace idem
