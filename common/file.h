#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/io_result.h"

// The file layer: every byte that the server reads from or writes to disk goes through it. posix_file.h has
// the real one, simulated_file.h one in memory that can lose, tear, fail or delay any call.
namespace idem {

// An open file. Reads and writes are positioned, so several threads may use one File at once as long as they
// do not write the same bytes. Closed when destroyed; closing never makes data durable.
class File {
 public:
  virtual ~File() = default;

  // Reads up to `size` bytes; fewer only at the end of the file.
  virtual IoResult<size_t> read_at(uint64_t offset, void* out, size_t size) = 0;
  // Writes all of it or reports an error, after which any part may have been written. Extends the file as
  // needed; a gap reads as zeros.
  virtual IoStatus write_at(uint64_t offset, const void* data, size_t size) = 0;
  // fdatasync: the data, and the size if it grew. After an error what was written since the last successful
  // sync may be lost, and a later success of sync() says nothing about it: never retry.
  virtual IoStatus sync() = 0;
  // fsync: with all metadata.
  virtual IoStatus sync_all() = 0;
  virtual IoResult<uint64_t> size() = 0;
  virtual IoStatus truncate(uint64_t size) = 0;
  // Allocates the blocks of [0, size), extending the file with zeros; 53100 here instead of at a later write.
  virtual IoStatus preallocate(uint64_t size) = 0;

  const std::string& path() const { return path_; }

  IoStatus write_at(uint64_t offset, std::string_view data) {
    return write_at(offset, data.data(), data.size());
  }
  // Reads exactly `size` bytes; the end of the file met before is an error.
  IoStatus read_exact_at(uint64_t offset, void* out, size_t size);

 protected:
  explicit File(std::string path) : path_(std::move(path)) {}

 private:
  std::string path_;
};

enum class OpenMode : uint8_t {
  kRead,          // must exist
  kReadWrite,     // must exist
  kCreate,        // must not exist (EEXIST); read and write
  kOpenOrCreate,  // read and write
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
};

// Holds a folder for this process until destroyed.
class FolderLock {
 public:
  virtual ~FolderLock() = default;
};

// Paths are as the operating system takes them, separated by '/'. Thread-safe. A created, renamed, linked or
// removed name is durable only after sync_directory() of the folder that holds it.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // Replaces `to` if it exists, atomically.
  virtual IoStatus rename(const std::string& from, const std::string& to) = 0;
  // A file or an empty folder.
  virtual IoStatus remove(const std::string& path) = 0;
  // A hard link. Never link a log segment: segments are recycled in place.
  virtual IoStatus link(const std::string& existing, const std::string& link_path) = 0;
  // In no particular order, without "." and "..".
  virtual IoResult<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;
  // The parent must exist; EEXIST if the folder does.
  virtual IoStatus make_directory(const std::string& path) = 0;
  virtual IoStatus sync_directory(const std::string& path) = 0;
  virtual IoResult<bool> exists(const std::string& path) = 0;
  virtual IoResult<uint64_t> file_size(const std::string& path) = 0;
  // Bytes that may still be written to the file system that holds `path`.
  virtual IoResult<uint64_t> free_space(const std::string& path) = 0;
  // Takes `directory`/lock, which holds the process id. If another process has it: an error that names its
  // id.
  virtual IoResult<std::unique_ptr<FolderLock>> lock(const std::string& directory) = 0;
};

// "a/b/c" → "a/b"; "c" → "."; "/c" → "/".
std::string parent_directory(std::string_view path);
// "a", "b" → "a/b".
std::string join_path(std::string_view directory, std::string_view name);

// Creates the folder and its missing parents, each synced into its parent.
IoStatus make_directories(FileSystem& fs, const std::string& path);
IoResult<std::string> read_whole_file(FileSystem& fs, const std::string& path);
// Puts a file with this content in place of `path`, durably: after a crash it holds the old content or the
// new one. Uses `path`.new beside it.
IoStatus replace_file(FileSystem& fs, const std::string& path, std::string_view content);

}  // namespace idem
