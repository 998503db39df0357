#pragma once

#include <cstdint>
#include <string>

#include "common/byte_io.h"
#include "storage/codec.h"

namespace idem {

// Integer sections: at most kVectorSize 64-bit integers, modulo 2^64 (docs/format/segment.md).

// The codecs worth trying besides kConstant and kPacked; a sample of the row group tells.
struct IntegerChoice {
  bool delta = true, delta_delta = true, run_length = true;
};

// Appends the section that takes the fewest bytes, its codec first. Delta codings must save a little, because
// they decode more slowly. Returns the codec.
Codec encode_integers(const int64_t* values, uint32_t count, IntegerChoice choice, std::string* out);

// Reads a section of this codec into `count` values of T, cutting off high bits: uint8_t, int16_t, int32_t,
// uint32_t, int64_t. Throws XX001.
template <class T>
void decode_integers(Codec codec, ByteReader& in, uint32_t count, T* out);
// The same with the codec read first.
template <class T>
void decode_integers(ByteReader& in, uint32_t count, T* out);

// Whether a section of kDelta is evenly spaced; does not move the caller's reader.
bool is_evenly_spaced(ByteReader in, uint32_t count, int64_t* start, int64_t* step);

}  // namespace idem
