#pragma once

namespace idem {

// The process's allocator: jemalloc, set up in allocator.cpp (why: docs/decisions/allocator.md). Builds with sanitizers have
// the sanitizer's own.
//
// Gives the system back what is kept of memory that was freed.
void give_back_free_memory();

}  // namespace idem
