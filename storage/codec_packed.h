#pragma once

#include <cstdint>
#include <string>

#include "common/byte_io.h"
#include "storage/vector.h"

namespace idem {

// Unsigned numbers in as few bits as the larger part of them needs; the rest are patched in afterwards
// (docs/format/segment.md, "Packed numbers"). At most kVectorSize of them.

// How a list of numbers is best packed.
struct PackingPlan {
  uint8_t width = 0, full_width = 0;
  uint32_t exceptions = 0;
  size_t bytes = 0;  // what write_packed() appends
};
PackingPlan plan_packed(const uint64_t* numbers, uint32_t count);
void write_packed(const uint64_t* numbers, uint32_t count, const PackingPlan& plan, std::string* out);

// Numbers being unpacked: 32 bits wide where all of them fit.
class UnpackedNumbers {
 public:
  // Throws XX001 where the bytes are no packed numbers.
  void read(ByteReader& in, uint32_t count);

  bool is_wide() const { return wide_; }
  const uint32_t* narrow() const { return numbers32_; }  // !is_wide()
  const uint64_t* wide() const { return numbers64_; }    // is_wide()
  uint64_t operator[](uint32_t i) const { return wide_ ? numbers64_[i] : numbers32_[i]; }

 private:
  bool wide_ = false;
  alignas(64) uint32_t numbers32_[kVectorSize];
  alignas(64) uint64_t numbers64_[kVectorSize];
};

}  // namespace idem
