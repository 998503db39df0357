#pragma once

#include "storage/database_state.h"
#include "storage/manifest_writer.h"

namespace idem {

struct LoadedManifest {
  WrittenState written;
  std::vector<std::shared_ptr<const TableVersion>>
      heads;  // newest versions of the tables that are not dropped
};

// The tables of a manifest: dictionaries, the histories (which go to `db`) and every version that the manifest names.
// Segments are read when they are first needed; only dictionaries in files and patches are read here. Versions share
// partitions as they did when they were written. Throws SqlError XX001 where files do not hold what the manifest says,
// 58030 where one cannot be read. Takes the tables out of `manifest`, one after the other: what one took is used for the next.
LoadedManifest load_manifest(DatabaseState& db, Manifest* manifest);

}  // namespace idem
