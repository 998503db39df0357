#pragma once

#include <cstdint>
#include <string>

#include "common/byte_io.h"
#include "common/decimal.h"
#include "common/interval.h"
#include "common/uuid.h"
#include "storage/codec.h"

namespace idem {

// Types of 16 bytes and more, taken apart into integer sections where that works (docs/format/segment.md).
// Encoding returns the codec and appends the payload; decoding throws XX001, also for decimals that no type
// can hold.

Codec encode_decimals(const Decimal* values, uint32_t count, std::string* payload);
void decode_decimals(Codec codec, ByteReader& in, uint32_t count, Decimal* out);  // kDecimal
Decimal decode_decimal(ByteReader& in);                                           // kConstant

Codec encode_intervals(const Interval* values, uint32_t count, std::string* payload);
void decode_intervals(Codec codec, ByteReader& in, uint32_t count, Interval* out);  // kInterval
Interval decode_interval(ByteReader& in);                                           // kConstant

Codec encode_uuids(const Uuid* values, uint32_t count, std::string* payload);
void decode_uuids(Codec codec, ByteReader& in, uint32_t count, Uuid* out);  // kPlain, kLz4
Uuid decode_uuid(ByteReader& in);                                           // kConstant

}  // namespace idem
