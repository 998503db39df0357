#pragma once

#include <cstddef>
#include <cstdint>

namespace idem {

// CRC-32C (Castagnoli) of bytes; pass the previous result as `seed` to go on over several pieces.
// Uses the processor's instruction where it has one. crc32c("123456789") == 0xe3069283.
uint32_t crc32c(const void* data, size_t size, uint32_t seed = 0);

// The same from a table, for processors without the instruction and to check the other against.
uint32_t crc32c_portable(const void* data, size_t size, uint32_t seed = 0);

}  // namespace idem
