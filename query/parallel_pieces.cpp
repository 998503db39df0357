#include "query/parallel_pieces.h"

#include <algorithm>
#include <atomic>

#include "common/worker_pool.h"
#include "query/operator.h"

namespace idem {

void for_pieces(const ExecutionContext& context, size_t pieces, uint64_t rows,
                const std::function<void(size_t piece)>& body) {
  std::atomic<size_t> next{0};
  const auto work = [&](size_t) {
    try {
      for (size_t piece; (piece = next.fetch_add(1)) < pieces;) {
        if (context.cancel) context.cancel->check();
        body(piece);
      }
    } catch (...) {
      next.store(pieces);
      throw;
    }
  };
  const bool alone = !context.workers || context.worker_count <= 1 || pieces < 2 || rows < kParallelRows;
  if (alone) return work(0);
  context.workers->parallel_run(std::min(pieces, static_cast<size_t>(context.worker_count)), work);
}

}  // namespace idem
