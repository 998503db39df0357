#include "storage/table_history.h"

#include <algorithm>

namespace idem {

namespace {

// So many plain inserts have lines of their own before older ones are joined, half of them at a time.
constexpr size_t kSeparateLines = 128;
constexpr uint64_t kSmallRows = 10'000;

// Refreshes come as often as inserts do.
bool is_plain(TableOperation operation) {
  return operation == TableOperation::kInsert || operation == TableOperation::kCopy ||
         operation == TableOperation::kRefresh;
}

// A version before and after such a commit is not kept.
bool is_small_change(const HistoryLine& line) {
  if (is_plain(line.operation)) return line.run_key.empty();
  const bool of_rows = line.operation == TableOperation::kUpdate || line.operation == TableOperation::kDelete;
  return of_rows && line.run_key.empty() &&
         line.counts.inserted + line.counts.replaced + line.counts.deleted <= 1;
}

bool can_join(const HistoryLine& a, const HistoryLine& b) {
  const auto small = [](const HistoryLine& line) {
    return is_plain(line.operation) && line.run_key.empty() &&
           line.counts.inserted + line.counts.replaced + line.counts.deleted <= kSmallRows;
  };
  return small(a) && small(b) && a.operation == b.operation && a.user == b.user;
}

const auto kByNumber = [](const KeptVersion& kept, VersionNumber number) { return kept.number() < number; };

}  // namespace

std::shared_ptr<const TableVersion> without_positions(const std::shared_ptr<const TableVersion>& version) {
  if (!version || !version->history) return version;
  auto copy = std::make_shared<TableVersion>(*version);
  copy->history = HistoryHandle();
  return copy;
}

void TableHistory::record(const std::shared_ptr<const TableVersion>& before,
                          const std::shared_ptr<const TableVersion>& after, HistoryLine line,
                          const LoggedAt& logged) {
  std::lock_guard lock(mutex_);
  if (logged.names_segments) {
    keep_locked({without_positions(after), line.last_time_micros, logged.end,
                 static_cast<uint8_t>(KeepReason::kLoad), false});
  }
  // A line of the manifest may already say it: joined lines reach beyond the manifest's commit.
  if (!lines_.empty() && line.last <= lines_.back().last) return;
  ++stamp_;
  const bool keeps = !before || !is_small_change(line);
  const auto reason = static_cast<uint8_t>(line.run_key.empty() ? KeepReason::kStatement : KeepReason::kRun);
  if (keeps && before && !lines_.empty()) {
    keep_locked({without_positions(before), lines_.back().last_time_micros, logged.begin, reason});
  }
  if (keeps) keep_locked({without_positions(after), line.last_time_micros, logged.end, reason});
  lines_.push_back(std::move(line));
  join_lines();
}

void TableHistory::join_lines() {
  if (lines_.size() < joined_ + kSeparateLines) return;
  const size_t end = joined_ + kSeparateLines / 2;
  size_t to = joined_ == 0 ? 0 : joined_ - 1;  // the last line that stays
  for (size_t from = to + 1; from < end; ++from) {
    if (can_join(lines_[to], lines_[from])) {
      lines_[to].last = lines_[from].last;
      lines_[to].last_time_micros = lines_[from].last_time_micros;
      lines_[to].counts.inserted += lines_[from].counts.inserted;
      lines_[to].counts.replaced += lines_[from].counts.replaced;
      lines_[to].counts.skipped += lines_[from].counts.skipped;
      lines_[to].counts.deleted += lines_[from].counts.deleted;
      lines_[to].partitions = std::max(lines_[to].partitions, lines_[from].partitions);
    } else if (++to != from) {
      lines_[to] = std::move(lines_[from]);
    }
  }
  joined_ = to + 1;
  lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(joined_),
               lines_.begin() + static_cast<std::ptrdiff_t>(end));
}

void TableHistory::keep_locked(KeptVersion version) {
  const auto place = std::lower_bound(kept_.begin(), kept_.end(), version.number(), kByNumber);
  if (place != kept_.end() && place->number() == version.number()) {
    place->reasons |= version.reasons;
    place->log_position = std::max(place->log_position, version.log_position);
  } else {
    kept_.insert(place, std::move(version));
  }
  ++stamp_;
}

void TableHistory::keep(KeptVersion version) {
  version.version = without_positions(version.version);
  std::lock_guard lock(mutex_);
  keep_locked(std::move(version));
}

void TableHistory::forget_reason(VersionNumber version, KeepReason reason) {
  std::lock_guard lock(mutex_);
  const auto place = std::lower_bound(kept_.begin(), kept_.end(), version, kByNumber);
  if (place == kept_.end() || place->number() != version) return;
  place->reasons &= static_cast<uint8_t>(~static_cast<uint8_t>(reason));
  ++stamp_;
}

std::vector<HistoryLine> TableHistory::lines(VersionNumber through) const {
  std::lock_guard lock(mutex_);
  std::vector<HistoryLine> result;
  for (const HistoryLine& line : lines_) {
    if (line.first <= through) result.push_back(line);
  }
  return result;
}

std::vector<KeptVersion> TableHistory::kept(VersionNumber through) const {
  std::lock_guard lock(mutex_);
  std::vector<KeptVersion> result;
  for (const KeptVersion& kept : kept_) {
    if (kept.number() <= through) result.push_back(kept);
  }
  return result;
}

std::optional<KeptVersion> TableHistory::find_kept(VersionNumber version) const {
  std::optional<KeptVersion> found = kept_before(version);
  return found && found->number() == version ? found : std::nullopt;
}

VersionNumber TableHistory::first_of_last(uint64_t count) const {
  std::lock_guard lock(mutex_);
  return count == 0 || kept_.size() <= count ? VersionNumber{0} : kept_[kept_.size() - count].number();
}

std::optional<KeptVersion> TableHistory::kept_before(VersionNumber version) const {
  std::lock_guard lock(mutex_);
  const auto after = std::upper_bound(kept_.begin(), kept_.end(), version,
                                      [](VersionNumber n, const KeptVersion& k) { return n < k.number(); });
  if (after == kept_.begin()) return std::nullopt;
  return *std::prev(after);
}

std::optional<TableHistory::AtTime> TableHistory::at_time(int64_t micros, VersionNumber through) const {
  std::lock_guard lock(mutex_);
  const HistoryLine* found = nullptr;
  for (const HistoryLine& line : lines_) {
    if (line.first_time_micros > micros || line.first > through) break;
    found = &line;
  }
  if (!found) return std::nullopt;
  return AtTime{std::min(found->last, through), found->last_time_micros <= micros && found->last <= through};
}

std::optional<int64_t> TableHistory::time_of(VersionNumber version) const {
  std::lock_guard lock(mutex_);
  const auto line =
      std::lower_bound(lines_.begin(), lines_.end(), version,
                       [](const HistoryLine& l, VersionNumber number) { return l.last < number; });
  if (line == lines_.end() || line->first > version) return std::nullopt;
  return line->last_time_micros;
}

std::vector<bool> TableHistory::expired_locked(const Expired& expired) const {
  std::vector<bool> result(kept_.size());
  size_t line = 0;
  for (size_t i = 0; i + 1 < kept_.size(); ++i) {
    while (line < lines_.size() && lines_[line].first <= kept_[i].number()) ++line;
    const int64_t superseded = line < lines_.size() ? lines_[line].first_time_micros : INT64_MAX;
    result[i] = expired(kept_[i], superseded, kept_[i + 1]);
  }
  return result;
}

std::vector<KeptVersion> TableHistory::expire(const Expired& expired, int64_t lines_before_micros) {
  std::lock_guard lock(mutex_);
  const std::vector<bool> goes = expired_locked(expired);
  std::vector<KeptVersion> gone, left;
  for (size_t i = 0; i < kept_.size(); ++i) (goes[i] ? gone : left).push_back(std::move(kept_[i]));
  kept_ = std::move(left);
  size_t old = 0;
  while (old + 1 < lines_.size() && lines_[old].last_time_micros < lines_before_micros) ++old;
  lines_.erase(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(old));
  joined_ -= std::min(joined_, old);
  if (old > 0 || !gone.empty()) ++stamp_;
  for (const KeptVersion& version : gone) {
    if (version.has(KeepReason::kLoad))
      last_lost_ = std::max(last_lost_.value_or(version.number()), version.number());
  }
  return gone;
}

std::optional<VersionNumber> TableHistory::last_lost() const {
  std::lock_guard lock(mutex_);
  return last_lost_;
}

std::vector<KeptVersion> TableHistory::expirable(const Expired& expired) const {
  std::lock_guard lock(mutex_);
  const std::vector<bool> goes = expired_locked(expired);
  std::vector<KeptVersion> gone;
  for (size_t i = 0; i < kept_.size(); ++i) {
    if (goes[i]) gone.push_back(kept_[i]);
  }
  return gone;
}

void TableHistory::note_written(const KeptVersion& version) {
  std::lock_guard lock(mutex_);
  const auto place = std::lower_bound(kept_.begin(), kept_.end(), version.number(), kByNumber);
  if (place == kept_.end() || place->number() != version.number()) {
    kept_.insert(place, version);
    return;
  }
  place->version = version.version;
  place->reasons |= version.reasons;
  place->log_position = std::max(place->log_position, version.log_position);
  place->written = true;
}

void TableHistory::load(std::vector<HistoryLine> lines, std::vector<KeptVersion> kept) {
  std::lock_guard lock(mutex_);
  lines_ = std::move(lines);
  kept_ = std::move(kept);
  joined_ = lines_.size();
}

uint64_t TableHistory::stamp() const {
  std::lock_guard lock(mutex_);
  return stamp_;
}

}  // namespace idem
