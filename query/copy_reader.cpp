#include "query/copy_reader.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>

#include "common/worker_pool.h"

namespace idem {

namespace {

constexpr size_t kSmallFeed = 32 << 10;     // smaller pieces are gathered …
constexpr size_t kGatherBytes = 256 << 10;  // … until they are so many
constexpr size_t kBlockBytes = 512 << 10;
constexpr size_t kLongRow = 1 << 20;  // without a line end: perhaps the lines end in '\r' alone
constexpr size_t kMaxRowBytes = 1 << 30;

}  // namespace

struct CopyReader::Job {
  std::vector<Piece> pieces;
  size_t bytes = 0;
  bool begins = false;
  CopyBlock block;
  std::exception_ptr error;
  bool done = false;  // guarded by the pipeline's mutex
};

// What workers share with the reader. Tasks that come when the reader is gone find nothing to do.
struct CopyReader::Pipeline {
  explicit Pipeline(CopyLayout copy_layout) : layout(std::move(copy_layout)) {}

  // Reads the oldest block that nobody reads; false if there is none.
  bool run_one() {
    std::shared_ptr<Job> job;
    std::unique_ptr<CopyBlockReader> reader;
    {
      std::lock_guard lock(mutex);
      if (unread.empty()) return false;
      job = std::move(unread.front());
      unread.pop_front();
      ++running;
      if (!idle_readers.empty()) {
        reader = std::move(idle_readers.back());
        idle_readers.pop_back();
      }
    }
    try {
      if (!reader) reader = std::make_unique<CopyBlockReader>(layout);
      read(*reader, *job);
    } catch (...) { job->error = std::current_exception(); }
    std::lock_guard lock(mutex);
    job->done = true;
    --running;
    if (reader) idle_readers.push_back(std::move(reader));
    finished.notify_all();
    return true;
  }

  static void read(CopyBlockReader& reader, Job& job) {
    bool begins = job.begins;
    for (const Piece& piece : job.pieces) {
      const std::string_view text =
          std::string_view(piece.bytes).substr(piece.begin, piece.end - piece.begin);
      reader.read(text, begins, true, &job.block);
      if (job.block.failure || job.block.ended) break;
      begins = false;
    }
    job.pieces.clear();
  }

  const CopyLayout layout;
  std::mutex mutex;  // guards what follows
  std::condition_variable finished;
  std::deque<std::shared_ptr<Job>> unread;
  std::vector<std::unique_ptr<CopyBlockReader>> idle_readers;
  size_t running = 0;
};

CopyReader::CopyReader(CopyLayout layout, WorkerPool* workers, std::function<void(ColumnBatch&&)> sink)
    : pipeline_(std::make_shared<Pipeline>(std::move(layout))),
      layout_(pipeline_->layout),
      workers_(workers && workers->thread_count() > 0 ? workers : nullptr),
      sink_(std::move(sink)),
      alone_(
          layout_.format.kind == CopyFormat::Kind::kBinary ||
          (layout_.format.kind == CopyFormat::Kind::kCsv && layout_.format.escape != layout_.format.quote)),
      enough_alone_(kGatherBytes) {}

CopyReader::~CopyReader() {
  std::unique_lock lock(pipeline_->mutex);
  pipeline_->unread.clear();
  pipeline_->finished.wait(lock, [this] { return pipeline_->running == 0; });
}

void CopyReader::feed(std::string bytes) {
  if (ended_ || bytes.empty()) return;  // behind \.
  if (alone_) {
    carry(bytes);
    if (carried_.size() >= enough_alone_) read_alone(false);
    return;
  }
  if (bytes.size() < kSmallFeed) {
    gathered_.append(bytes);
    if (gathered_.size() >= kGatherBytes) add_piece(std::exchange(gathered_, {}));
    return;
  }
  if (!gathered_.empty()) add_piece(std::exchange(gathered_, {}));
  add_piece(std::move(bytes));
}

void CopyReader::carry(std::string_view bytes) {
  if (carried_.size() + bytes.size() > kMaxRowBytes)
    fail(sql_error(sqlstate::kProgramLimitExceeded, "the row has more than {} bytes", kMaxRowBytes),
         lines_ + 1, "");
  carried_.append(bytes);
}

void CopyReader::finish() {
  if (alone_) {
    if (!ended_) read_alone(true);
    return;
  }
  if (!gathered_.empty()) add_piece(std::exchange(gathered_, {}));
  if (!carried_.empty()) {
    if (!open_) open_ = std::make_shared<Job>();
    const size_t size = carried_.size();
    open_->pieces.push_back({std::exchange(carried_, {}), 0, size});
  }
  if (open_) dispatch();
  collect(0);
}

// -- blocks ---------------------------------------------------------------------------------------------

CopyReader::RowEnds CopyReader::find_row_ends(std::string_view bytes) {
  return layout_.format.kind == CopyFormat::Kind::kCsv ? find_csv_ends(bytes) : find_text_ends(bytes);
}

CopyReader::RowEnds CopyReader::find_csv_ends(std::string_view bytes) {
  RowEnds ends;
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  for (const char* p = begin; p <= end;) {
    const char* quote =
        p == end
            ? nullptr
            : static_cast<const char*>(std::memchr(p, layout_.format.quote, static_cast<size_t>(end - p)));
    const auto size = static_cast<size_t>((quote ? quote : end) - p);
    if (!in_quotes_ && size > 0) {
      if (ends.first == std::string::npos) {
        const void* first = std::memchr(p, line_end_, size);
        if (first) ends.first = static_cast<size_t>(static_cast<const char*>(first) - begin) + 1;
      }
      const void* last = memrchr(p, line_end_, size);
      if (last) ends.last = static_cast<size_t>(static_cast<const char*>(last) - begin) + 1;
    }
    if (!quote) break;
    in_quotes_ = !in_quotes_;
    p = quote + 1;
  }
  return ends;
}

// Whether the line end is not escaped.
bool CopyReader::ends_row(std::string_view bytes, size_t newline) const {
  size_t backslashes = 0;
  while (backslashes < newline && bytes[newline - backslashes - 1] == '\\') ++backslashes;
  if (backslashes == newline) {
    size_t carried = 0;
    while (carried < carried_.size() && carried_[carried_.size() - carried - 1] == '\\') ++carried;
    backslashes += carried;
  }
  return backslashes % 2 == 0;
}

CopyReader::RowEnds CopyReader::find_text_ends(std::string_view bytes) const {
  RowEnds ends;
  for (size_t at = bytes.find(line_end_); at != bytes.npos; at = bytes.find(line_end_, at + 1)) {
    if (!ends_row(bytes, at)) continue;
    ends.first = at + 1;
    break;
  }
  if (ends.first == bytes.npos) return ends;
  size_t at = bytes.rfind(line_end_);
  while (!ends_row(bytes, at)) at = bytes.rfind(line_end_, at - 1);
  ends.last = at + 1;
  return ends;
}

void CopyReader::add_piece(std::string bytes) {
  RowEnds ends = find_row_ends(bytes);
  if (ends.first == std::string::npos) {
    const size_t looked_at = carried_.size() > kLongRow ? carried_.size() : 0;
    carry(bytes);
    const bool only_returns = line_end_ == '\n' && !in_quotes_ && lines_ == 0 && !begun_ &&
                              layout_.format.kind == CopyFormat::Kind::kCsv && carried_.size() > kLongRow &&
                              carried_.find('\r', looked_at) != carried_.npos;
    if (!only_returns) return;
    line_end_ = '\r';
    bytes = std::exchange(carried_, {});
    ends = find_row_ends(bytes);
    if (ends.first == std::string::npos) {
      carried_ = std::move(bytes);
      return;
    }
  }
  if (!open_) open_ = std::make_shared<Job>();
  size_t begin = 0;
  if (!carried_.empty()) {
    carried_.append(bytes, 0, ends.first);
    begin = ends.first;
    const size_t size = carried_.size();
    open_->bytes += size;
    open_->pieces.push_back({std::exchange(carried_, {}), 0, size});
  }
  carried_.assign(bytes, ends.last);
  if (begin < ends.last) {
    open_->bytes += ends.last - begin;
    open_->pieces.push_back({std::move(bytes), begin, ends.last});
  }
  if (open_->bytes >= kBlockBytes) dispatch();
}

void CopyReader::dispatch() {
  std::shared_ptr<Job> job = std::exchange(open_, nullptr);
  job->begins = !std::exchange(begun_, true);
  in_flight_.push_back(job);
  {
    std::lock_guard lock(pipeline_->mutex);
    pipeline_->unread.push_back(std::move(job));
  }
  if (!workers_) return collect(0);
  workers_->submit([pipeline = pipeline_] { pipeline->run_one(); });
  collect(2 * workers_->thread_count() + 2);
}

// Hands on what has been read, in order, until no more than so many blocks are under way.
void CopyReader::collect(size_t most_in_flight) {
  while (!in_flight_.empty()) {
    const std::shared_ptr<Job> job = in_flight_.front();
    {
      std::unique_lock lock(pipeline_->mutex);
      if (!job->done && in_flight_.size() <= most_in_flight) return;
      if (!job->done && pipeline_->unread.empty()) pipeline_->finished.wait(lock, [&] { return job->done; });
    }
    bool done = false;
    {
      std::lock_guard lock(pipeline_->mutex);
      done = job->done;
    }
    if (!done) {
      pipeline_->run_one();
      continue;
    }
    in_flight_.pop_front();
    consume(*job);
  }
}

void CopyReader::consume(Job& job) {
  if (job.error) std::rethrow_exception(job.error);
  if (!ended_) take(job.block);
}

// -- results --------------------------------------------------------------------------------------------

void CopyReader::fail(SqlError error, uint64_t line, const std::string& where) const {
  throw error.with_context(fmt::format("COPY {}, line {}{}", layout_.schema->name, line, where));
}

void CopyReader::take(CopyBlock& block) {
  const std::optional<uint64_t>& limit = layout_.format.reject_limit;
  if (limit && rejected_ + block.rejected > *limit) {
    const CopyFailure& last = block.rejects[*limit - rejected_];
    fail(sql_error(last.error.sqlstate(), "skipped more than REJECT_LIMIT ({}) rows; the last one: {}",
                   *limit, last.error.message()),
         lines_ + last.line, last.where);
  }
  rejected_ += block.rejected;
  bad_values_.resize(std::max(bad_values_.size(), block.bad_values.size()));
  for (size_t i = 0; i < block.bad_values.size(); ++i) bad_values_[i] += block.bad_values[i];
  if (block.failure) fail(block.failure->error, lines_ + block.failure->line, block.failure->where);
  lines_ += block.lines;
  ended_ = block.ended;
  if (!block.rows || block.rows->rows() == 0) return;
  rows_ += block.rows->rows();
  sink_(std::move(*block.rows));
}

void CopyReader::read_alone(bool at_end) {
  std::unique_ptr<CopyBlockReader> reader;
  if (pipeline_->idle_readers.empty()) {
    reader = std::make_unique<CopyBlockReader>(layout_);
  } else {
    reader = std::move(pipeline_->idle_readers.back());
    pipeline_->idle_readers.pop_back();
  }
  CopyBlock block;
  const size_t taken = reader->read(carried_, !std::exchange(begun_, true), at_end, &block);
  carried_.erase(0, taken);
  // A row that is not whole is read again from its begin: when it has doubled, so that long ones cost no more for each byte.
  enough_alone_ = std::max(kGatherBytes, 2 * carried_.size());
  pipeline_->idle_readers.push_back(std::move(reader));
  take(block);
}

}  // namespace idem
