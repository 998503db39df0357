#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "common/file.h"

namespace idem {

// A folder for files that nobody needs after the statement that made them.
//
// A file gives up its name as soon as it is open, so that its space comes back when it is closed: after an error or a
// cancel, and when the process is killed. What a crash between the two steps left is removed when the folder is opened.
// Thread-safe; outlives its files.
class TemporaryFolder {
 public:
  // Makes the folder, or empties it.
  TemporaryFolder(FileSystem& files, std::string path);

  // An empty file to write and read.
  IoResult<std::unique_ptr<File>> create();

 private:
  FileSystem& files_;
  const std::string path_;
  std::atomic<uint64_t> next_{0};
};

}  // namespace idem
