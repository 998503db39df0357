#include "common/temporary_folder.h"

#include <fmt/format.h>

namespace idem {

TemporaryFolder::TemporaryFolder(FileSystem& files, std::string path)
    : files_(files), path_(std::move(path)) {
  make_directories(files_, path_).throw_if_error();
  for (const DirectoryEntry& entry : files_.list(path_).value_or_throw()) {
    files_.remove(join_path(path_, entry.name)).throw_if_error();
  }
}

IoResult<std::unique_ptr<File>> TemporaryFolder::create() {
  const std::string path =
      join_path(path_, fmt::format("{}.spill", next_.fetch_add(1, std::memory_order_relaxed)));
  IoResult<std::unique_ptr<File>> file = files_.open(path, OpenMode::kCreate);
  if (!file.ok()) return file;
  const IoStatus removed = files_.remove(path);
  if (!removed.ok()) return removed.error();
  return file;
}

}  // namespace idem
