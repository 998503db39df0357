#include "wal/segment_store.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "wal/segment_format.h"

namespace idem::wal {

namespace {

// Zeros are synced in pieces of this size, so that commits that are synced meanwhile wait for one piece only.
constexpr uint64_t kFillBytes = uint64_t{1} << 20;

}  // namespace

SegmentStore::SegmentStore(FileSystem& fs, std::string directory, uint64_t segment_bytes,
                           uint32_t max_prepared, std::function<IoStatus(const SegmentInfo&)> archive,
                           bool own_thread, const RecoveryResult& recovered)
    : fs_(fs),
      directory_(std::move(directory)),
      segment_bytes_(segment_bytes),
      max_prepared_(std::max(max_prepared, uint32_t{1})),
      archive_(std::move(archive)),
      last_id_(recovered.last_segment_id),
      begun_(recovered.segments),
      own_thread_(own_thread) {
  for (const std::string& path : recovered.obsolete) fs_.remove(path).throw_if_error();
  for (const std::string& path : recovered.prepared) {
    const std::optional<uint64_t> id = parse_segment_file_name(path.substr(path.rfind('/') + 1));
    const bool in_order = begun_.empty() || *id > begun_.back().id;
    if (in_order && prepared_.size() < max_prepared_ &&
        fs_.file_size(path).value_or_throw() == segment_bytes_) {
      prepared_[*id] = {*id, segment_bytes_, fs_.open(path, OpenMode::kReadWrite).value_or_throw()};
    } else {
      fs_.remove(path).throw_if_error();
    }
  }
  // Also makes the names of the prepared ones durable, which a killed process may have left unsynced.
  fs_.sync_directory(directory_).throw_if_error();
  if (own_thread_) thread_ = std::thread([this] { run(); });
}

SegmentStore::~SegmentStore() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::string SegmentStore::path_of(uint64_t id) const { return join_path(directory_, segment_file_name(id)); }

bool SegmentStore::has_prepared(uint64_t record_bytes) const {
  return std::any_of(prepared_.begin(), prepared_.end(), [&](const auto& entry) {
    return entry.second.file_bytes - kFirstRecordOffset >= record_bytes;
  });
}

std::optional<SegmentStore::Prepared> SegmentStore::try_take(uint64_t record_bytes) {
  std::lock_guard lock(mutex_);
  if (!has_prepared(record_bytes)) return std::nullopt;
  for (;;) {
    Prepared first = std::move(prepared_.begin()->second);
    prepared_.erase(prepared_.begin());
    if (first.file_bytes - kFirstRecordOffset >= record_bytes) return first;
    passed_over_.push_back(std::move(first));
  }
}

void SegmentStore::wait_prepared(uint64_t record_bytes) {
  std::unique_lock lock(mutex_);
  const uint64_t request = ++requests_;
  wanted_bytes_ = std::max(wanted_bytes_, round_up(kFirstRecordOffset + record_bytes, kPageBytes));
  work_.notify_all();
  const auto served = [&] { return has_prepared(record_bytes) || served_requests_ >= request; };
  while (!own_thread_ && !served()) prepare_next(lock);
  finished_.wait(lock, served);
  if (!has_prepared(record_bytes) && error_) throw SqlError(*error_);
}

void SegmentStore::begin(const Prepared& segment, uint64_t epoch, Position start) {
  std::lock_guard lock(mutex_);
  while (!prepared_.empty() && prepared_.begin()->first < segment.id) {
    passed_over_.push_back(std::move(prepared_.begin()->second));
    prepared_.erase(prepared_.begin());
  }
  // Last, so that it has not begun where memory runs out.
  begun_.push_back({segment.id, epoch, start, start, segment.file_bytes, segment.file->path()});
  if (begun_.size() > 1) begun_[begun_.size() - 2].end = start;
  work_.notify_all();
}

// Puts a prepared segment where try_take() finds it. Segments are begun in the order of their ids.
void SegmentStore::offer(Prepared segment) {
  if (!begun_.empty() && segment.id < begun_.back().id) {
    passed_over_.push_back(std::move(segment));
  } else {
    prepared_[segment.id] = std::move(segment);
  }
}

void SegmentStore::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto has_work = [&] {
      return !passed_over_.empty() || requests_ > served_requests_ || (prepared_.empty() && !error_);
    };
    work_.wait(lock, [&] { return stopping_ || has_work(); });
    if (stopping_) return;
    prepare_next(lock);
  }
}

// One attempt to prepare a segment; the lock is released meanwhile.
void SegmentStore::prepare_next(std::unique_lock<std::mutex>& lock) {
  const uint64_t requests = requests_;
  const uint64_t id = ++last_id_;
  std::optional<Prepared> passed_over;
  if (!passed_over_.empty()) {
    passed_over = std::move(passed_over_.back());
    passed_over_.pop_back();
  }
  const uint64_t file_bytes = std::max(segment_bytes_, std::exchange(wanted_bytes_, 0));
  lock.unlock();
  IoResult<Prepared> made = passed_over ? rename_to(passed_over->file->path(), id, passed_over->file_bytes)
                                        : prepare(id, file_bytes);
  lock.lock();
  error_.reset();
  if (made.ok()) {
    offer(std::move(made.value()));
  } else {
    error_ = made.error().to_sql_error();
  }
  if (passed_over) {
    wanted_bytes_ = std::max(wanted_bytes_, file_bytes);
  } else {
    served_requests_ = requests;
  }
  finished_.notify_all();
}

IoResult<SegmentStore::Prepared> SegmentStore::prepare(uint64_t id, uint64_t file_bytes) {
  const std::string aside = join_path(directory_, "preparing.tmp");
  const auto make = [&]() -> IoStatus {
    IoResult<std::unique_ptr<File>> file = fs_.open(aside, OpenMode::kOpenOrCreate);
    if (!file.ok()) return file.error();
    if (IoStatus cut = file.value()->truncate(0); !cut.ok()) return cut;
    if (IoStatus allocated = file.value()->preallocate(file_bytes); !allocated.ok()) return allocated;
    return fill_with_zeros(*file.value(), file_bytes);
  };
  if (IoStatus made = make(); !made.ok()) {
    // Gives the room back. If that fails too, the next attempt begins by cutting the file.
    if (IoStatus removed = fs_.remove(aside); !removed.ok() && !removed.error().is_not_found())
      return removed.error();
    return made.error();
  }
  return rename_to(aside, id, file_bytes);
}

IoStatus SegmentStore::fill_with_zeros(File& file, uint64_t file_bytes) {
  const std::string zeros(std::min(kFillBytes, file_bytes), '\0');
  for (uint64_t offset = 0; offset < file_bytes; offset += zeros.size()) {
    const uint64_t size = std::min<uint64_t>(zeros.size(), file_bytes - offset);
    if (IoStatus written = file.write_at(offset, zeros.data(), size); !written.ok()) return written;
    if (IoStatus synced = file.sync(); !synced.ok()) return synced;
    std::lock_guard lock(mutex_);
    if (stopping_) return IoError{FileOp::kPreallocate, ECANCELED, file.path(), "the server stops"};
  }
  return file.sync_all();
}

IoResult<SegmentStore::Prepared> SegmentStore::rename_to(const std::string& path, uint64_t id,
                                                         uint64_t file_bytes) {
  const std::string new_path = path_of(id);
  if (IoStatus renamed = fs_.rename(path, new_path); !renamed.ok()) return renamed.error();
  if (IoStatus synced = fs_.sync_directory(directory_); !synced.ok()) return synced.error();
  IoResult<std::unique_ptr<File>> file = fs_.open(new_path, OpenMode::kReadWrite);
  if (!file.ok()) return file.error();
  return Prepared{id, file_bytes, std::move(file.value())};
}

IoResult<size_t> SegmentStore::remove_before(Position position, Position durable) {
  for (size_t count = 0;; ++count) {
    SegmentInfo oldest;
    uint64_t new_id = 0;  // 0: remove instead of recycle
    {
      std::lock_guard lock(mutex_);
      if (begun_.size() < 2 || begun_.front().end > position || begun_.front().end >= durable) return count;
      oldest = begun_.front();
      if (oldest.file_bytes == segment_bytes_ && prepared_.size() < max_prepared_) new_id = ++last_id_;
    }
    if (archive_) {
      if (IoStatus archived = archive_(oldest); !archived.ok()) return archived.error();
    }
    std::optional<Prepared> recycled;
    if (new_id != 0) {
      IoResult<Prepared> renamed = rename_to(oldest.path, new_id, oldest.file_bytes);
      // Not found: an earlier attempt failed after the file had its new name. It is found at the next start.
      if (!renamed.ok() && !renamed.error().is_not_found()) return renamed.error();
      if (renamed.ok()) recycled = std::move(renamed.value());
    } else {
      IoStatus removed = fs_.remove(oldest.path);
      if (!removed.ok() && !removed.error().is_not_found()) return removed.error();
      if (IoStatus synced = fs_.sync_directory(directory_); !synced.ok()) return synced.error();
    }
    std::lock_guard lock(mutex_);
    begun_.erase(begun_.begin());
    error_.reset();  // there may be room now
    if (recycled) offer(std::move(*recycled));
    finished_.notify_all();
    work_.notify_all();
  }
}

std::vector<SegmentInfo> SegmentStore::begun(Position end) const {
  std::lock_guard lock(mutex_);
  std::vector<SegmentInfo> out = begun_;
  if (!out.empty()) out.back().end = end;
  return out;
}

size_t SegmentStore::prepared_count() const {
  std::lock_guard lock(mutex_);
  return prepared_.size();
}

uint64_t SegmentStore::disk_bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const SegmentInfo& segment : begun_) bytes += segment.file_bytes;
  for (const auto& [id, segment] : prepared_) bytes += segment.file_bytes;
  for (const Prepared& segment : passed_over_) bytes += segment.file_bytes;
  return bytes;
}

std::string SegmentStore::last_error() const {
  std::lock_guard lock(mutex_);
  return error_ ? error_->message() : "";
}

}  // namespace idem::wal
