#include "server/allocator.h"

#if defined(IDEM_JEMALLOC)

#include <fmt/format.h>
#include <jemalloc/jemalloc.h>

// Read by jemalloc before main(); the variable MALLOC_CONF of the environment is read after it. An arena for each processor,
// and one for pieces of 8 MB and more (oversize_threshold); huge pages; what is freed is kept until give_back_free_memory().
const char* malloc_conf = "percpu_arena:percpu,thp:always,dirty_decay_ms:-1,muzzy_decay_ms:0";

#endif

namespace idem {

void give_back_free_memory() {
#if defined(IDEM_JEMALLOC)
  mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);
  mallctl(fmt::format("arena.{}.purge", MALLCTL_ARENAS_ALL).c_str(), nullptr, nullptr, nullptr, 0);
#endif
}

}  // namespace idem
