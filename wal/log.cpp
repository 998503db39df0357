#include "wal/log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "common/futex.h"
#include "wal/pending_record.h"
#include "wal/segment_format.h"
#include "wal/segment_store.h"

namespace idem::wal {

namespace {

// Memory of written buffers kept for the next ones.
constexpr size_t kKeptBufferBytes = 1 << 20;

// Bytes that go to one place in a segment file.
struct Piece {
  std::shared_ptr<File> file;
  uint64_t file_bytes = 0;
  uint64_t offset = 0;
  std::string bytes;        // of small records, or else
  RecordBytes record;       // one of its own
  bool sync_alone = false;  // before anything that follows is written

  size_t size() const { return record.empty() ? bytes.size() : record.size(); }
  std::string_view view() const { return record.empty() ? std::string_view(bytes) : record.view(); }
  void pad(size_t size) {
    if (record.empty()) bytes.resize(size, '\0');
    else record.pad(record.size(), size);
  }
};

// Those who wait for the sync of one buffer.
struct Round {
  enum State : int { kWaiting, kLeaderWanted, kDone };
  std::atomic<int> state{kWaiting};
  size_t waiters = 0;  // guarded by the log's mutex
};

// Durations of the last syncs, for percentiles.
class SyncTimes {
 public:
  void add(double micros) {
    last_[count_++ % last_.size()] = micros;
    sum_ += micros;
  }
  uint64_t count() const { return count_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  double p99() const {
    const size_t n = std::min<size_t>(count_, last_.size());
    if (n == 0) return 0;
    std::vector<double> sorted(last_.begin(), last_.begin() + static_cast<std::ptrdiff_t>(n));
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>((n - 1) * 99 / 100);
    std::nth_element(sorted.begin(), at, sorted.end());
    return *at;
  }

 private:
  std::array<double, 1024> last_{};
  uint64_t count_ = 0;
  double sum_ = 0;
};

// What a sync did, counted when it has ended.
struct SyncOutcome {
  IoStatus status;
  bool out_of_memory = false;
  uint64_t written_bytes = 0;
  std::vector<double> sync_micros;
};

SqlError sync_failure(std::string_view reason) {
  return sql_error(sqlstate::kIoError, "the log could not be written: {}; no further writes until restart",
                   reason);
}

class GroupCommitLog final : public Log {
 public:
  GroupCommitLog(FileSystem& fs, const std::string& directory, const LogOptions& options,
                 const RecoveryResult& recovered, LogListener* listener)
      : options_(options),
        database_id_(recovered.database_id),
        epoch_(recovered.last_epoch + 1),
        listener_(listener),
        store_(fs, directory, std::max(round_up(options.segment_bytes, kPageBytes), 2 * kPageBytes),
               options.max_prepared_segments, options.archive, options.own_threads, recovered),
        appended_(recovered.end),
        durable_(recovered.end),
        last_commit_(recovered.last_commit),
        durable_commit_(recovered.last_commit),
        taken_commit_(recovered.last_commit) {
    if (options_.own_threads) thread_ = std::thread([this] { run(); });
  }

  ~GroupCommitLog() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    lazy_.notify_all();
    if (thread_.joinable()) thread_.join();
    Lock lock(mutex_);
    if (!failure_ && !buffer_.empty()) lead(lock);
  }

  Extent append(CommitNumber commit_number, std::string_view payload, Compression compression) override;
  std::vector<Extent> append_all(std::span<const SmallRecord> records) override;
  void wait_durable(CommitNumber commit_number) override;
  void request_sync() override;
  void flush() override;

  Position durable_position() const override {
    std::lock_guard lock(mutex_);
    return durable_;
  }
  CommitNumber durable_commit() const override {
    std::lock_guard lock(mutex_);
    return durable_commit_;
  }
  IoResult<size_t> remove_before(Position position) override {
    return store_.remove_before(position, durable_position());
  }
  LogStats stats() const override;
  std::vector<SegmentInfo> segments() const override {
    std::unique_lock lock(mutex_);
    return store_.begun(appended_);
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  void make_room(Lock& lock, uint64_t record_bytes);
  void begin_segment(SegmentStore::Prepared segment);
  static void check_follows(CommitNumber commit_number, CommitNumber last);
  void complete(CommitNumber commit_number, PendingRecord* record) const;
  void put(PendingRecord* record);
  static void put_small(const PendingRecord& record, std::string* bytes);
  std::string& open_piece(uint64_t record_bytes);
  Extent count(const RecordHeader& header, size_t payload_bytes);
  void end_append(Lock& lock);
  void lead(Lock& lock);
  SyncOutcome write_and_sync(std::vector<Piece>& pieces);
  void finish(Lock& lock, const SyncOutcome& outcome, CommitNumber commit, Position end);
  void hand_over(Lock& lock, const std::shared_ptr<Round>& done);
  void fail(const SyncOutcome& outcome);
  void keep_buffer(std::vector<Piece>& pieces);
  void run();
  void throw_if_failed() const {
    if (failure_) throw SqlError(*failure_);
  }

  const LogOptions options_;
  const DatabaseId database_id_;
  const uint64_t epoch_;
  LogListener* const listener_;
  SegmentStore store_;

  mutable std::mutex mutex_;
  std::condition_variable space_;  // the buffer was taken, or the log has failed
  std::condition_variable lazy_;   // for the log's own thread

  SegmentStore::Prepared current_;  // the segment that records go to; no file until the first
  uint64_t current_offset_ = 0;     // where the next record goes in it
  std::vector<Piece> buffer_;       // not yet being written
  uint64_t buffered_bytes_ = 0;
  std::string kept_buffer_;
  std::shared_ptr<Round> buffer_round_ = std::make_shared<Round>();
  std::shared_ptr<Round> next_round_;  // there while the buffer holds anything: who takes it needs no memory
  std::shared_ptr<Round> written_round_;  // of the buffer that is being written

  Position appended_;
  Position durable_;
  CommitNumber last_commit_;
  CommitNumber durable_commit_;
  std::atomic<CommitNumber> known_durable_{0};  // the same, for whoever does not hold the lock
  CommitNumber taken_commit_;                   // the last that is not in the buffer any more
  bool syncing_ = false;                        // a thread leads: it writes, syncs and tells the listener
  bool sync_requested_ = false;
  bool lazy_sleeps_ = false;  // the log's own thread waits without a time limit
  bool stopping_ = false;
  std::optional<SqlError> failure_;                     // set once
  SqlError no_memory_ = sync_failure("out of memory");  // made while there is some

  uint64_t takes_ = 0;  // how often the buffer was taken
  uint64_t records_ = 0;
  uint64_t payload_bytes_ = 0;
  uint64_t written_bytes_ = 0;
  SyncTimes sync_times_;

  std::thread thread_;
};

Extent GroupCommitLog::append(CommitNumber commit_number, std::string_view payload, Compression compression) {
  if (payload.size() > kMaxPayloadBytes) {
    throw sql_error(sqlstate::kProgramLimitExceeded, "a log record of {} bytes exceeds the limit of {} bytes",
                    payload.size(), kMaxPayloadBytes);
  }
  PendingRecord record = make_record(
      payload, compression == Compression::kLz4 && payload.size() >= options_.compress_from_bytes);
  const uint64_t record_bytes = record.header.total_bytes();

  Lock lock(mutex_);
  make_room(lock, record_bytes);
  check_follows(commit_number, last_commit_);
  complete(commit_number, &record);
  put(&record);
  const Extent extent = count(record.header, payload.size());
  end_append(lock);
  return extent;
}

std::vector<Extent> GroupCommitLog::append_all(std::span<const SmallRecord> records) {
  std::vector<PendingRecord> pending;
  std::vector<Extent> extents;
  pending.reserve(records.size());
  extents.reserve(records.size());
  uint64_t bytes = 0;
  for (const SmallRecord& record : records) {
    if (record.payload.size() > kMaxSmallPayloadBytes) {
      throw sql_error(sqlstate::kInternalError, "a log record of {} bytes is not small",
                      record.payload.size());
    }
    pending.push_back(make_record(record.payload, false));
    bytes += pending.back().header.total_bytes();
  }

  Lock lock(mutex_);
  make_room(lock, bytes);
  CommitNumber last = last_commit_;
  for (const SmallRecord& record : records) {
    check_follows(record.commit_number, last);
    last = record.commit_number;
  }
  std::string& room = open_piece(bytes);
  for (size_t i = 0; i < records.size(); ++i) {
    complete(records[i].commit_number, &pending[i]);
    put_small(pending[i], &room);
    extents.push_back(count(pending[i].header, records[i].payload.size()));
  }
  end_append(lock);
  return extents;
}

void GroupCommitLog::check_follows(CommitNumber commit_number, CommitNumber last) {
  if (commit_number > last) return;
  throw sql_error(sqlstate::kInternalError, "commit {} appended to the log after commit {}", commit_number,
                  last);
}

// What was not known of the record before its place was. It must have room.
void GroupCommitLog::complete(CommitNumber commit_number, PendingRecord* record) const {
  RecordHeader& header = record->header;
  header.epoch = epoch_;
  header.position = appended_.value;
  header.commit_number = commit_number;
  header.durable = durable_.value;
  header.crc = header.checksum(record->payload_crc);
}

Extent GroupCommitLog::count(const RecordHeader& header, size_t payload_bytes) {
  const Extent extent{appended_, {appended_.value + header.total_bytes()}};
  current_offset_ += header.total_bytes();
  buffered_bytes_ += header.total_bytes();
  appended_ = extent.end;
  last_commit_ = header.commit_number;
  ++records_;
  payload_bytes_ += payload_bytes;
  return extent;
}

void GroupCommitLog::end_append(Lock& lock) {
  const bool wake = lazy_sleeps_ || buffered_bytes_ >= options_.lazy_flush_bytes;
  lazy_sleeps_ = false;
  lock.unlock();
  if (wake) lazy_.notify_one();
}

// Waits until the buffer has room and the record fits into the current segment.
void GroupCommitLog::make_room(Lock& lock, uint64_t record_bytes) {
  for (;;) {
    throw_if_failed();
    if (!next_round_) next_round_ = std::make_shared<Round>();
    if (buffered_bytes_ > 0 && buffered_bytes_ + record_bytes > options_.max_buffer_bytes) {
      if (!options_.own_threads) {
        lead(lock);
        continue;
      }
      sync_requested_ = true;
      lazy_.notify_one();
      space_.wait(lock);
      continue;
    }
    if (current_.file && current_offset_ + record_bytes <= current_.file_bytes) return;
    if (std::optional<SegmentStore::Prepared> next = store_.try_take(record_bytes)) {
      begin_segment(std::move(*next));
      return;
    }
    lock.unlock();
    store_.wait_prepared(record_bytes);
    lock.lock();
  }
}

void GroupCommitLog::begin_segment(SegmentStore::Prepared segment) {
  std::string page = SegmentHeader{database_id_, segment.id, epoch_, appended_}.encode();
  page.resize(kFirstRecordOffset, '\0');
  // No record of an epoch may reach the disk before the epoch is known there: else a crash could leave
  // records without a header, and the next run would use the same epoch again.
  const bool first_of_epoch = current_.file == nullptr;
  buffer_.push_back({segment.file, segment.file_bytes, 0, std::move(page), {}, first_of_epoch});
  try {
    store_.begin(segment, epoch_, appended_);
  } catch (...) {
    buffer_.pop_back();
    throw;
  }
  current_ = std::move(segment);
  current_offset_ = kFirstRecordOffset;
  buffered_bytes_ += kFirstRecordOffset;
}

// All of the record or nothing.
void GroupCommitLog::put(PendingRecord* record) {
  if (!record->own.empty()) std::memcpy(record->own.data(), &record->header, kRecordHeaderBytes);
  if (record->own.size() >= kOwnPieceBytes) {
    buffer_.push_back({current_.file, current_.file_bytes, current_offset_, {}, std::move(record->own)});
    return;
  }
  std::string& bytes = open_piece(record->header.total_bytes());
  if (record->own.empty()) put_small(*record, &bytes);
  else bytes.append(record->own.view());
}

// Into bytes with room for it.
void GroupCommitLog::put_small(const PendingRecord& record, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&record.header), kRecordHeaderBytes);
  bytes->append(record.stored);
  bytes->append(record.header.total_bytes() - kRecordHeaderBytes - record.stored.size(), '\0');
}

// The bytes of the piece that small records are added to, with room for so many more and for padding: the last, if it is of
// this segment and not a large one.
std::string& GroupCommitLog::open_piece(uint64_t record_bytes) {
  if (buffer_.empty() || buffer_.back().file != current_.file || buffer_.back().sync_alone ||
      !buffer_.back().record.empty() || buffer_.back().bytes.size() > kKeptBufferBytes) {
    buffer_.push_back({current_.file, current_.file_bytes, current_offset_, std::exchange(kept_buffer_, {})});
  }
  std::string& bytes = buffer_.back().bytes;
  bytes.reserve(bytes.size() + record_bytes + kPageBytes);
  return bytes;
}

void GroupCommitLog::wait_durable(CommitNumber commit_number) {
  Lock lock(mutex_);
  if (commit_number > last_commit_) {
    throw sql_error(sqlstate::kInternalError, "commit {} is not in the log", commit_number);
  }
  while (durable_commit_ < commit_number) {
    throw_if_failed();
    if (!syncing_) {
      lead(lock);
      continue;
    }
    const std::shared_ptr<Round> round = commit_number <= taken_commit_ ? written_round_ : buffer_round_;
    ++round->waiters;
    lock.unlock();
    while (round->state.load(std::memory_order_acquire) == Round::kWaiting) {
      futex_wait(round->state, Round::kWaiting);
    }
    // All those that a sync has served wake up together: they do not queue up for the lock again.
    if (known_durable_.load(std::memory_order_acquire) >= commit_number) return;
    lock.lock();
    --round->waiters;
    // Whether or not it still falls to this thread: the next turn of the loop finds out, and others may be
    // called again.
    int wanted = Round::kLeaderWanted;
    round->state.compare_exchange_strong(wanted, Round::kWaiting);
  }
}

void GroupCommitLog::request_sync() {
  Lock lock(mutex_);
  if (failure_ || buffer_.empty()) return;
  if (!options_.own_threads) return lead(lock);
  const bool wake = !sync_requested_ && !syncing_;
  sync_requested_ = true;
  lock.unlock();
  if (wake) lazy_.notify_one();
}

void GroupCommitLog::flush() {
  CommitNumber last = 0;
  {
    std::lock_guard lock(mutex_);
    last = last_commit_;
  }
  wait_durable(last);
}

// Writes and syncs all that is buffered, in this thread. The lock is released meanwhile.
void GroupCommitLog::lead(Lock& lock) {
  syncing_ = true;
  sync_requested_ = false;
  std::vector<Piece> pieces = std::exchange(buffer_, {});
  buffered_bytes_ = 0;
  ++takes_;
  taken_commit_ = last_commit_;
  const CommitNumber commit = last_commit_;
  const Position end = appended_;
  written_round_ = std::exchange(buffer_round_, std::exchange(next_round_, nullptr));
  lock.unlock();
  space_.notify_all();

  SyncOutcome outcome;
  try {
    outcome = write_and_sync(pieces);
    if (outcome.status.ok() && listener_) listener_->on_durable(commit);
  } catch (const std::bad_alloc&) {
    // What is durable is unknown, and others wait for this thread: it may not just leave.
    outcome.out_of_memory = true;
  }

  lock.lock();
  keep_buffer(pieces);
  finish(lock, outcome, commit, end);
}

SyncOutcome GroupCommitLog::write_and_sync(std::vector<Piece>& pieces) {
  SyncOutcome outcome;
  const auto sync = [&](File& file) {
    const auto begin = std::chrono::steady_clock::now();
    outcome.status = file.sync();
    outcome.sync_micros.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
    return outcome.status.ok();
  };
  for (size_t i = 0; i < pieces.size(); ++i) {
    Piece& piece = pieces[i];
    const bool last_of_file = i + 1 == pieces.size() || pieces[i + 1].file != piece.file;
    if (last_of_file) {
      const uint64_t end = round_up(piece.offset + piece.size(), kPageBytes);
      piece.pad(std::min(end, piece.file_bytes) - piece.offset);
    }
    outcome.status = piece.file->write_at(piece.offset, piece.view());
    if (!outcome.status.ok()) return outcome;
    outcome.written_bytes += piece.size();
    // A segment is synced before the next is begun: the header of that one proves that this one is whole.
    if ((last_of_file || piece.sync_alone) && !sync(*piece.file)) return outcome;
  }
  return outcome;
}

void GroupCommitLog::keep_buffer(std::vector<Piece>& pieces) {
  for (Piece& piece : pieces) {
    if (piece.bytes.capacity() <= kKeptBufferBytes && piece.bytes.capacity() > kept_buffer_.capacity()) {
      kept_buffer_ = std::move(piece.bytes);
      kept_buffer_.clear();
    }
  }
}

void GroupCommitLog::finish(Lock& lock, const SyncOutcome& outcome, CommitNumber commit, Position end) {
  written_bytes_ += outcome.written_bytes;
  for (const double micros : outcome.sync_micros) sync_times_.add(micros);
  const std::shared_ptr<Round> done = std::exchange(written_round_, nullptr);
  if (outcome.status.ok() && !outcome.out_of_memory) {
    durable_ = end;
    durable_commit_ = commit;
    known_durable_.store(commit, std::memory_order_release);
    syncing_ = false;
    hand_over(lock, done);
    return;
  }
  fail(outcome);
  const std::shared_ptr<Round> never = buffer_round_;
  lock.unlock();
  for (const std::shared_ptr<Round>& round : {done, never}) {
    round->state.store(Round::kDone);
    futex_wake(round->state, true);
  }
  space_.notify_all();
  if (listener_) listener_->on_failed(*failure_);
  lock.lock();
}

void GroupCommitLog::fail(const SyncOutcome& outcome) {
  if (!outcome.out_of_memory) {
    try {
      failure_ = sync_failure(outcome.status.error().message());
      return;
    } catch (const std::bad_alloc&) {}  // then that is the reason to give
  }
  failure_ = std::move(no_memory_);
}

// Wakes who shall do the next sync, if there is need of one, and then those that this sync has served.
void GroupCommitLog::hand_over(Lock& lock, const std::shared_ptr<Round>& done) {
  std::shared_ptr<Round> next;
  if (buffer_round_->waiters > 0) next = buffer_round_;
  const bool due = sync_requested_ || buffered_bytes_ >= options_.lazy_flush_bytes;
  const bool wake_own_thread = !next && due && !buffer_.empty();
  const bool anyone_waits = done->waiters > 0;
  lock.unlock();
  if (next) {
    int waiting = Round::kWaiting;
    next->state.compare_exchange_strong(waiting, Round::kLeaderWanted);
    futex_wake(next->state, false);
  } else if (wake_own_thread) {
    lazy_.notify_one();
  }
  done->state.store(Round::kDone);
  if (anyone_waits) futex_wake(done->state, true);
  lock.lock();
}

// The log's own thread: syncs what nobody waits for, and what was requested while another sync ran.
//
// It ticks twice within the time limit while records come, so that a commit needs not wake it; what a tick
// finds in the buffer that was there at the tick before is synced.
void GroupCommitLog::run() {
  const auto tick = std::chrono::milliseconds(std::max(options_.lazy_flush_ms / 2, uint32_t{1}));
  Lock lock(mutex_);
  uint64_t takes_before = takes_;
  uint64_t records_before = records_;
  for (;;) {
    const auto urgent = [&] {
      if (stopping_) return true;
      const bool due = sync_requested_ || buffered_bytes_ >= options_.lazy_flush_bytes;
      return due && !syncing_ && !failure_ && !buffer_.empty();
    };
    if (failure_ || (buffer_.empty() && records_ == records_before)) {
      lazy_sleeps_ = true;
      lazy_.wait(lock, [&] { return urgent() || !lazy_sleeps_; });
      lazy_sleeps_ = false;
      if (stopping_) break;
      continue;  // the record that woke it counts at the next tick, though it may be synced by now
    }
    const bool ticked = !lazy_.wait_for(lock, tick, urgent);
    if (stopping_) break;
    const bool overdue = ticked && takes_ == takes_before;
    takes_before = takes_;
    records_before = records_;
    if (!syncing_ && !failure_ && !buffer_.empty() && (overdue || urgent())) lead(lock);
  }
}

LogStats GroupCommitLog::stats() const {
  LogStats out;
  std::lock_guard lock(mutex_);
  const std::vector<SegmentInfo> begun = store_.begun(appended_);
  out.appended = appended_;
  out.durable = durable_;
  out.oldest_kept = begun.empty() ? appended_ : begun.front().begin;
  out.last_commit = last_commit_;
  out.durable_commit = durable_commit_;
  out.epoch = epoch_;
  out.segments = begun.size();
  out.prepared_segments = store_.prepared_count();
  out.disk_bytes = store_.disk_bytes();
  out.records = records_;
  out.payload_bytes = payload_bytes_;
  out.written_bytes = written_bytes_;
  out.syncs = sync_times_.count();
  out.sync_micros_mean = sync_times_.mean();
  out.sync_micros_p99 = sync_times_.p99();
  out.failed = failure_.has_value();
  out.last_error = failure_ ? failure_->message() : store_.last_error();
  return out;
}

// Writes the header and the accepted records of the last segment again and syncs them: they may be in memory
// only.
void make_recovered_durable(FileSystem& fs, const RecoveryResult& recovered) {
  if (recovered.segments.empty()) return;
  const SegmentInfo& last = recovered.segments.back();
  const std::unique_ptr<File> file = fs.open(last.path, OpenMode::kReadWrite).value_or_throw();
  const auto rewrite = [&](uint64_t offset, uint64_t size) {
    std::string bytes(size, '\0');
    file->read_exact_at(offset, bytes.data(), size).throw_if_error();
    file->write_at(offset, bytes).throw_if_error();
  };
  rewrite(0, kFirstRecordOffset);
  const uint64_t from = std::max(recovered.known_durable, last.begin).value - last.begin.value;
  const uint64_t until = recovered.end.value - last.begin.value;
  if (from < until) rewrite(kFirstRecordOffset + from, until - from);
  file->sync().throw_if_error();
}

}  // namespace

std::unique_ptr<Log> Log::open(FileSystem& fs, const std::string& directory, const LogOptions& options,
                               const RecoveryResult& recovered, LogListener* listener) {
  make_directories(fs, directory).throw_if_error();
  make_recovered_durable(fs, recovered);
  return std::make_unique<GroupCommitLog>(fs, directory, options, recovered, listener);
}

}  // namespace idem::wal
