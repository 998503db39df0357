#pragma once

#include <cstdint>

namespace idem {

// Names a segment file within its database. Never reused.
enum class SegmentId : uint64_t {};

}  // namespace idem
