#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "common/file.h"

namespace idem {

// A file that small segments share, so that a checkpoint of ten thousand small tables syncs one file: segments one after
// the other, each as it would be in a file of its own.
//
//   tables/0/17.segment:  segment 18 of table 3 │ segment 19 of table 8 │ segment 20 of table 9 │ …
//
// Held by the segments in it; removed, if it was marked obsolete, when the last reference goes. Any thread may call.
class SegmentPack {
 public:
  SegmentPack(FileSystem& files, std::string path, uint64_t id, uint64_t size)
      : files_(files), path_(std::move(path)), id_(id), size_(size) {}
  ~SegmentPack() {
    if (obsolete_.load(std::memory_order_acquire)) static_cast<void>(files_.remove(path_).ok());
  }
  SegmentPack(const SegmentPack&) = delete;
  SegmentPack& operator=(const SegmentPack&) = delete;

  uint64_t id() const { return id_; }
  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  void mark_obsolete() const { obsolete_.store(true, std::memory_order_release); }

 private:
  friend class SegmentPackWriter;
  FileSystem& files_;
  const std::string path_;
  const uint64_t id_;
  uint64_t size_;  // changes only while it is being written
  mutable std::atomic<bool> obsolete_{false};
};

// Writes a pack: SegmentWriters append to it, one at a time. The file counts for nothing before finish() returned; one
// that is not finished is removed with the last of its segments.
class SegmentPackWriter {
 public:
  // Creates the file. Throws 58030, 53100.
  SegmentPackWriter(FileSystem& files, const std::string& path, uint64_t id)
      : file_(files.open(path, OpenMode::kCreate).value_or_throw()),
        pack_(std::make_shared<SegmentPack>(files, path, id, 0)) {
    pack_->mark_obsolete();
  }

  File& file() { return *file_; }
  const std::shared_ptr<SegmentPack>& pack() const { return pack_; }
  void grow_to(uint64_t size) { pack_->size_ = size; }
  // Syncs the file. The caller syncs its folder. Throws 58030, 53100.
  void finish() {
    file_->sync().throw_if_error();
    pack_->obsolete_.store(false, std::memory_order_release);
  }

 private:
  std::unique_ptr<File> file_;
  std::shared_ptr<SegmentPack> pack_;
};

}  // namespace idem
