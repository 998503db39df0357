#pragma once

#include <memory>
#include <string>

#include "common/file.h"

namespace idem::tools {

// The data folder of a server that does not run, held so that none starts on it meanwhile.
class DataFolder {
 public:
  // Throws UsageError when `path` is no data folder, SqlError 55006 when a server has it.
  explicit DataFolder(const std::string& path);

  FileSystem& files() { return *files_; }
  const std::string& path() const { return path_; }
  std::string log_path() const { return join_path(path_, "log"); }
  // Name of the newest manifest, as the file CURRENT says. Throws SqlError XX001 where it says something else.
  std::string current_manifest_path();

 private:
  std::unique_ptr<FileSystem> files_;
  const std::string path_;
  std::unique_ptr<FolderLock> lock_;
};

}  // namespace idem::tools
