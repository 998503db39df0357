#pragma once

#include <memory>
#include <string>

#include "common/file.h"
#include "common/metrics.h"

namespace idem {

// What was written and synced, by what it was for.
struct IoMetrics {
  Counter written_bytes;
  LatencyHistogram syncs;
};

// A file system as another one has it, measured: the files below `log_folder` apart from all others. Thread-safe.
class MeasuredFileSystem final : public FileSystem {
 public:
  MeasuredFileSystem(std::unique_ptr<FileSystem> files, std::string log_folder);

  const IoMetrics& log() const { return log_; }
  const IoMetrics& other() const { return other_; }

  IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  IoStatus rename(const std::string& from, const std::string& to) override {
    return files_->rename(from, to);
  }
  IoStatus remove(const std::string& path) override { return files_->remove(path); }
  IoStatus link(const std::string& existing, const std::string& link_path) override {
    return files_->link(existing, link_path);
  }
  IoResult<std::vector<DirectoryEntry>> list(const std::string& directory) override {
    return files_->list(directory);
  }
  IoStatus make_directory(const std::string& path) override { return files_->make_directory(path); }
  IoStatus sync_directory(const std::string& path) override { return files_->sync_directory(path); }
  IoResult<bool> exists(const std::string& path) override { return files_->exists(path); }
  IoResult<uint64_t> file_size(const std::string& path) override { return files_->file_size(path); }
  IoResult<uint64_t> free_space(const std::string& path) override { return files_->free_space(path); }
  IoResult<std::unique_ptr<FolderLock>> lock(const std::string& directory) override {
    return files_->lock(directory);
  }

 private:
  const std::unique_ptr<FileSystem> files_;
  const std::string log_prefix_;
  IoMetrics log_, other_;
};

}  // namespace idem
