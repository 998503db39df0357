#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "query/evaluation.h"

namespace idem {

// Calls body(0) … body(pieces - 1), each once, on as many threads as `rows` rows in memory are worth. Looks for cancellation
// before each piece. The first exception ends the others and is thrown.
void for_pieces(const ExecutionContext& context, size_t pieces, uint64_t rows,
                const std::function<void(size_t piece)>& body);

}  // namespace idem
