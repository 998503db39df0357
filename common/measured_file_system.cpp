#include "common/measured_file_system.h"

#include <chrono>

namespace idem {

namespace {

class MeasuredFile final : public File {
 public:
  MeasuredFile(std::unique_ptr<File> file, IoMetrics& metrics)
      : File(file->path()), file_(std::move(file)), metrics_(metrics) {}

  IoResult<size_t> read_at(uint64_t offset, void* out, size_t size) override {
    return file_->read_at(offset, out, size);
  }
  IoStatus write_at(uint64_t offset, const void* data, size_t size) override {
    metrics_.written_bytes.add(size);
    return file_->write_at(offset, data, size);
  }
  IoStatus sync() override {
    return measured([this] { return file_->sync(); });
  }
  IoStatus sync_all() override {
    return measured([this] { return file_->sync_all(); });
  }
  IoResult<uint64_t> size() override { return file_->size(); }
  IoStatus truncate(uint64_t size) override { return file_->truncate(size); }
  IoStatus preallocate(uint64_t size) override { return file_->preallocate(size); }

 private:
  template <class Sync>
  IoStatus measured(Sync sync) {
    const auto begin = std::chrono::steady_clock::now();
    IoStatus status = sync();
    const auto micros =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin)
            .count();
    metrics_.syncs.add(static_cast<uint64_t>(micros));
    return status;
  }

  const std::unique_ptr<File> file_;
  IoMetrics& metrics_;
};

}  // namespace

MeasuredFileSystem::MeasuredFileSystem(std::unique_ptr<FileSystem> files, std::string log_folder)
    : files_(std::move(files)), log_prefix_(std::move(log_folder) + "/") {}

IoResult<std::unique_ptr<File>> MeasuredFileSystem::open(const std::string& path, OpenMode mode) {
  IoResult<std::unique_ptr<File>> file = files_->open(path, mode);
  if (!file.ok()) return file;
  IoMetrics& metrics = path.starts_with(log_prefix_) ? log_ : other_;
  return std::unique_ptr<File>(std::make_unique<MeasuredFile>(std::move(file).value_or_throw(), metrics));
}

}  // namespace idem
