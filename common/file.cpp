#include "common/file.h"

#include <cerrno>

namespace idem {

IoStatus File::read_exact_at(uint64_t offset, void* out, size_t size) {
  IoResult<size_t> got = read_at(offset, out, size);
  if (!got.ok()) return got.error();
  if (got.value() != size) {
    return IoError{FileOp::kRead, 0, path(),
                   fmt::format("read {} of {} bytes at offset {}", got.value(), size, offset)};
  }
  return {};
}

std::string parent_directory(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

std::string join_path(std::string_view directory, std::string_view name) {
  if (directory.empty()) return std::string(name);
  std::string out(directory);
  if (out.back() != '/') out += '/';
  out += name;
  return out;
}

IoStatus make_directories(FileSystem& fs, const std::string& path) {
  IoResult<bool> found = fs.exists(path);
  if (!found.ok()) return found.error();
  const std::string parent = parent_directory(path);
  if (!found.value()) {
    if (IoStatus made = make_directories(fs, parent); !made.ok()) return made;
    if (IoStatus made = fs.make_directory(path); !made.ok() && made.error().code != EEXIST) return made;
  }
  // Also the name of one that was there: an attempt before may have ended between its creation and the sync.
  IoStatus synced = fs.sync_directory(parent);
  // A folder that was there may stand where this process may not look; whoever made it has to sync it.
  if (!synced.ok() && found.value() && (synced.error().code == EACCES || synced.error().code == EPERM))
    return {};
  return synced;
}

IoResult<std::string> read_whole_file(FileSystem& fs, const std::string& path) {
  IoResult<std::unique_ptr<File>> file = fs.open(path, OpenMode::kRead);
  if (!file.ok()) return file.error();
  IoResult<uint64_t> size = file.value()->size();
  if (!size.ok()) return size.error();
  std::string content(size.value(), '\0');
  if (IoStatus read = file.value()->read_exact_at(0, content.data(), content.size()); !read.ok()) {
    return read.error();
  }
  return content;
}

IoStatus replace_file(FileSystem& fs, const std::string& path, std::string_view content) {
  const std::string aside = path + ".new";
  {
    IoResult<std::unique_ptr<File>> file = fs.open(aside, OpenMode::kOpenOrCreate);
    if (!file.ok()) return file.error();
    if (IoStatus cut = file.value()->truncate(0); !cut.ok()) return cut;
    if (IoStatus written = file.value()->write_at(0, content); !written.ok()) return written;
    if (IoStatus synced = file.value()->sync_all(); !synced.ok()) return synced;
  }
  if (IoStatus renamed = fs.rename(aside, path); !renamed.ok()) return renamed;
  return fs.sync_directory(parent_directory(path));
}

}  // namespace idem
