#include "common/posix_file.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <thread>
#include <unistd.h>

namespace idem {

namespace {

IoError errno_error(FileOp op, const std::string& path, int code, std::string detail = {}) {
  return IoError{op, code, path, std::move(detail)};
}

// Calls again for as long as a signal interrupts.
template <class Call>
auto uninterrupted(Call&& call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

class PosixFile final : public File {
 public:
  PosixFile(std::string path, int fd) : File(std::move(path)), fd_(fd) {}

  IoResult<size_t> read_at(uint64_t offset, void* out, size_t size) override {
    size_t done = 0;
    while (done < size) {
      const ssize_t n = uninterrupted([&] {
        return ::pread(fd_.get(), static_cast<char*>(out) + done, size - done,
                       static_cast<off_t>(offset + done));
      });
      if (n < 0) return errno_error(FileOp::kRead, path(), errno);
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }

  IoStatus write_at(uint64_t offset, const void* data, size_t size) override {
    size_t done = 0;
    while (done < size) {
      const ssize_t n = uninterrupted([&] {
        return ::pwrite(fd_.get(), static_cast<const char*>(data) + done, size - done,
                        static_cast<off_t>(offset + done));
      });
      if (n < 0) return errno_error(FileOp::kWrite, path(), errno);
      // PostgreSQL's reading of a write that makes no progress: the disk is full.
      if (n == 0) return errno_error(FileOp::kWrite, path(), ENOSPC);
      done += static_cast<size_t>(n);
    }
    return {};
  }

  // A sync is never repeated, not even for EINTR: the kernel may have dropped the error state already.
  IoStatus sync() override {
    if (::fdatasync(fd_.get()) != 0) return errno_error(FileOp::kSync, path(), errno);
    return {};
  }

  IoStatus sync_all() override {
    if (::fsync(fd_.get()) != 0) return errno_error(FileOp::kSync, path(), errno);
    return {};
  }

  IoResult<uint64_t> size() override {
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) return errno_error(FileOp::kSize, path(), errno);
    return static_cast<uint64_t>(info.st_size);
  }

  IoStatus truncate(uint64_t size) override {
    if (uninterrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) != 0) {
      return errno_error(FileOp::kTruncate, path(), errno);
    }
    return {};
  }

  IoStatus preallocate(uint64_t size) override {
    if (size == 0) return {};
    // Unlike fallocate, this one also works where the file system cannot reserve blocks.
    int code = 0;
    do { code = ::posix_fallocate(fd_.get(), 0, static_cast<off_t>(size)); } while (code == EINTR);
    if (code != 0) return errno_error(FileOp::kPreallocate, path(), code);
    return {};
  }

 private:
  Descriptor fd_;
};

class PosixFolderLock final : public FolderLock {
 public:
  explicit PosixFolderLock(int fd) : fd_(fd) {}

 private:
  Descriptor fd_;  // closing it gives the lock up
};

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

class PosixFileSystem final : public FileSystem {
 public:
  IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::kRead: flags |= O_RDONLY; break;
      case OpenMode::kReadWrite: flags |= O_RDWR; break;
      case OpenMode::kCreate: flags |= O_RDWR | O_CREAT | O_EXCL; break;
      case OpenMode::kOpenOrCreate: flags |= O_RDWR | O_CREAT; break;
    }
    const int fd = uninterrupted([&] { return ::open(path.c_str(), flags, 0600); });
    if (fd < 0) return errno_error(FileOp::kOpen, path, errno);
    return std::unique_ptr<File>(std::make_unique<PosixFile>(path, fd));
  }

  IoStatus rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return errno_error(FileOp::kRename, from, errno, fmt::format("to \"{}\"", to));
    }
    return {};
  }

  IoStatus remove(const std::string& path) override {
    if (::remove(path.c_str()) != 0) return errno_error(FileOp::kRemove, path, errno);
    return {};
  }

  IoStatus link(const std::string& existing, const std::string& link_path) override {
    if (::link(existing.c_str(), link_path.c_str()) != 0) {
      return errno_error(FileOp::kLink, existing, errno, fmt::format("to \"{}\"", link_path));
    }
    return {};
  }

  IoResult<std::vector<DirectoryEntry>> list(const std::string& directory) override {
    std::unique_ptr<DIR, DirectoryCloser> handle(::opendir(directory.c_str()));
    if (!handle) return errno_error(FileOp::kList, directory, errno);
    std::vector<DirectoryEntry> entries;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(handle.get());
      if (!entry) break;
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      bool is_directory = entry->d_type == DT_DIR;
      if (entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK) {
        struct stat info {};
        is_directory = ::stat(join_path(directory, name).c_str(), &info) == 0 && S_ISDIR(info.st_mode);
        errno = 0;
      }
      entries.push_back({std::move(name), is_directory});
    }
    if (errno != 0) return errno_error(FileOp::kList, directory, errno);
    return entries;
  }

  IoStatus make_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), 0700) != 0) return errno_error(FileOp::kMakeDirectory, path, errno);
    return {};
  }

  IoStatus sync_directory(const std::string& path) override {
    Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0 || ::fsync(fd.get()) != 0) return errno_error(FileOp::kSyncDirectory, path, errno);
    return {};
  }

  IoResult<bool> exists(const std::string& path) override {
    if (::access(path.c_str(), F_OK) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return errno_error(FileOp::kExists, path, errno);
  }

  IoResult<uint64_t> file_size(const std::string& path) override {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return errno_error(FileOp::kSize, path, errno);
    return static_cast<uint64_t>(info.st_size);
  }

  IoResult<uint64_t> free_space(const std::string& path) override {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) return errno_error(FileOp::kFreeSpace, path, errno);
    return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  }

  IoResult<std::unique_ptr<FolderLock>> lock(const std::string& directory) override {
    const std::string path = join_path(directory, "lock");
    Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); }));
    if (fd.get() < 0) return errno_error(FileOp::kLock, directory, errno);
    if (!take_lock(fd.get())) {
      if (errno != EWOULDBLOCK) return errno_error(FileOp::kLock, directory, errno);
      return IoError{FileOp::kLock, 0, directory,
                     fmt::format("it is in use by another server (process id {})", read_holder(fd.get()))};
    }
    const std::string content = fmt::format("{}\n", ::getpid());
    if (::ftruncate(fd.get(), 0) != 0 ||
        ::pwrite(fd.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) {
      return errno_error(FileOp::kLock, directory, errno);
    }
    return std::unique_ptr<FolderLock>(std::make_unique<PosixFolderLock>(fd.release()));
  }

 private:
  // A server that was killed lets go only when the system has taken back its memory: whoever starts the next one at once need not know.
  static bool take_lock(int fd) {
    constexpr int kTries = 100;
    for (int tries = 1;; ++tries) {
      if (uninterrupted([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) == 0) return true;
      if (errno != EWOULDBLOCK || tries == kTries) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  static std::string read_holder(int fd) {
    char text[32];
    const ssize_t n = ::pread(fd, text, sizeof text, 0);
    std::string_view holder(text, n > 0 ? static_cast<size_t>(n) : 0);
    while (!holder.empty() && holder.back() == '\n') holder.remove_suffix(1);
    return holder.empty() ? "unknown" : std::string(holder);
  }
};

}  // namespace

std::unique_ptr<FileSystem> make_posix_file_system() { return std::make_unique<PosixFileSystem>(); }

}  // namespace idem
