#include "server/storage_watch.h"

#include <spdlog/spdlog.h>

#include "storage/database.h"

namespace idem {

void StorageWatch::look() {
  const StorageStatus status = database_.status();
  if (status.write_failure == failure_) return;
  if (status.write_failed) {
    spdlog::error("{}", status.write_failure);
  } else if (!status.write_failure.empty()) {
    spdlog::warn("a checkpoint failed, it is tried again: {}", status.write_failure);
  } else {
    spdlog::info("checkpoints succeed again");
  }
  failure_ = status.write_failure;
}

}  // namespace idem
