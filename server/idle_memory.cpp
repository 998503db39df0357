#include "server/idle_memory.h"

#include "common/memory_budget.h"
#include "query/session.h"
#include "server/allocator.h"
#include "storage/database.h"

namespace idem {

IdleMemory::Work IdleMemory::work_done() const {
  return {server_.metrics.requests.values().sum_micros, server_.metrics.commits.value(),
          server_.database->status().last_checkpoint_micros};
}

bool IdleMemory::look() {
  const Work work = work_done();
  const bool idle = work == last_ && server_.memory->used() == 0;
  last_ = work;
  if (work == given_back_after_ || (!idle && ++busy_looks_ < kMostBusyLooks)) return false;
  given_back_after_ = work;
  busy_looks_ = 0;
  give_back_free_memory();
  return true;
}

}  // namespace idem
