#include "storage/materialized_view.h"

namespace idem {

int64_t MaterializedView::every_micros() const {
  if (mode != RefreshMode::kEvery) return INT64_MAX;
  constexpr int64_t kSecond = 1'000'000;
  switch (every_unit) {
    case 's': return every_count * kSecond;
    case 'm': return every_count * 60 * kSecond;
    case 'h': return every_count * 3'600 * kSecond;
    case 'd': return every_count * 86'400 * kSecond;
    default: return every_count * 604'800 * kSecond;
  }
}

MaterializedView with_unknown_sources(const MaterializedView& view) {
  MaterializedView next = view;
  ++next.generation;
  for (MaterializedViewSource& source : next.sources) source.version.reset();
  return next;
}

}  // namespace idem
