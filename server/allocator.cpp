#include "server/allocator.h"

#if defined(IDEM_JEMALLOC)

#include <jemalloc/jemalloc.h>

// Read by jemalloc before main(); the variable MALLOC_CONF of the environment is read after it. An arena for each processor;
// huge pages; what is freed, large or small, is kept for half a minute and then given back by a thread of jemalloc's own.
const char* malloc_conf =
    "percpu_arena:percpu,thp:always,oversize_threshold:0,dirty_decay_ms:30000,muzzy_decay_ms:30000,"
    "background_thread:true";

#define IDEM_TEXT_OF(number) #number
#define IDEM_ALL_ARENAS(number) "arena." IDEM_TEXT_OF(number) ".purge"

#endif

namespace idem {

void give_back_free_memory() {
#if defined(IDEM_JEMALLOC)
  mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);
  mallctl(IDEM_ALL_ARENAS(MALLCTL_ARENAS_ALL), nullptr, nullptr, nullptr, 0);
#endif
}

}  // namespace idem
