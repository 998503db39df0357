#pragma once

#include <cstdint>
#include <memory>

#include "storage/catalog.h"

namespace idem {

// What names and privileges that were looked up depend on: the catalog, and the role and search_path among the settings. It keeps no
// catalog alive.
struct KnownNames {
  std::weak_ptr<const Catalog> catalog;
  uint64_t settings = 0;  // SessionSettings::generation()

  bool hold_for(const std::shared_ptr<const Catalog>& now, uint64_t settings_now) const {
    return settings == settings_now && !catalog.owner_before(now) && !now.owner_before(catalog);
  }
};

}  // namespace idem
