#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/table_operation.h"
#include "storage/table_version.h"

namespace idem {

// What is known of one version of a table, or of several plain inserts that follow each other.
struct HistoryLine {
  VersionNumber first{}, last{};
  int64_t first_time_micros = 0, last_time_micros = 0;
  TableOperation operation = TableOperation::kOther;
  std::string user, run_key;
  WriteCounts counts;
  uint64_t partitions = 0;  // touched
};

// Why a version is kept.
enum class KeepReason : uint8_t {
  kStatement = 1,   // it came before or after a statement that is no plain insert or change of one row
  kCheckpoint = 2,  // a checkpoint wrote it: these are thinned out as they age
  kTag = 4,
  kRun = 8,
  kLoad = 16,  // its rows are in segment files that its log record names: it cannot be rebuilt from the log
};
constexpr uint8_t operator|(KeepReason a, KeepReason b) {
  return static_cast<uint8_t>(static_cast<uint8_t>(a) | static_cast<uint8_t>(b));
}

// A version that can be read whatever came after it.
struct KeptVersion {
  std::shared_ptr<const TableVersion> version;  // without HistoryHandle: it must not hold the positions since
  int64_t time_micros = 0;                      // of its commit
  // Everything that the log holds from here on is not in it: where versions after it are rebuilt from.
  uint64_t log_position = 0;
  uint8_t reasons = 0;   // bits of KeepReason
  bool written = false;  // all its row groups are in segment files that the manifest names

  VersionNumber number() const { return version->version; }
  bool has(KeepReason reason) const { return reasons & static_cast<uint8_t>(reason); }
};

// A version without the list of how later commits moved its rows.
std::shared_ptr<const TableVersion> without_positions(const std::shared_ptr<const TableVersion>& version);

// The past of one table, dropped or not.
//
//   lines   0 CREATE TABLE │ 1–37 INSERT │ 38 MERGE │ 39 INSERT │ 40 INSERT │ …   newest last
//   kept    0                37            38                     40                whole versions
//                                                        39: rebuilt from 38 and the log
//
// Commits are added under the table's latch and the commit latch, so before they are durable: readers say
// up to which version they may see. Any thread may call; every member takes the history's own mutex, which is
// taken last.
class TableHistory {
 public:
  // A commit of the table. `before` is null for a new table. Keeps the versions before and after it where the
  // statement asks for that.
  struct LoggedAt {
    uint64_t begin = 0, end = 0;
    bool names_segments = false;  // then the version is kept in any case: the record is not applied once more
  };
  void record(const std::shared_ptr<const TableVersion>& before,
              const std::shared_ptr<const TableVersion>& after, HistoryLine line, const LoggedAt& logged);
  // Keeps a version, or adds a reason to one that is kept.
  void keep(KeptVersion version);
  void forget_reason(VersionNumber version, KeepReason reason);

  std::vector<HistoryLine> lines(VersionNumber through) const;
  std::vector<KeptVersion> kept(VersionNumber through) const;
  std::optional<KeptVersion> find_kept(VersionNumber version) const;
  // The first of the last `count` kept versions; 0 where there are no more.
  VersionNumber first_of_last(uint64_t count) const;
  // The last kept version that is not after this one.
  std::optional<KeptVersion> kept_before(VersionNumber version) const;
  // The version that was the newest at a time; of versions that share a line the last is named and `exact` is
  // false. Nothing if the table had no version then, or that is no longer known.
  struct AtTime {
    VersionNumber version{};
    bool exact = true;
  };
  std::optional<AtTime> at_time(int64_t micros, VersionNumber through) const;
  std::optional<int64_t> time_of(VersionNumber version) const;  // of joined ones the last's

  // A kept version, when another version took its place (INT64_MAX: none did), and the next kept one. Not
  // asked for the last one, which always stays.
  using Expired = std::function<bool(const KeptVersion&, int64_t superseded_micros, const KeptVersion& next)>;
  // Drops kept versions for which `expired` says so, and lines that ended before a time; gives what was
  // dropped.
  std::vector<KeptVersion> expire(const Expired& expired, int64_t lines_before_micros);
  // The last of the dropped versions that cannot be rebuilt (KeepReason::kLoad): those after it cannot be rebuilt from
  // those before it.
  std::optional<VersionNumber> last_lost() const;
  // What expire() would drop.
  std::vector<KeptVersion> expirable(const Expired& expired) const;
  // A version as a manifest names it now, kept before or not. The stamp stays.
  void note_written(const KeptVersion& version);

  // As a manifest holds it.
  void load(std::vector<HistoryLine> lines, std::vector<KeptVersion> kept);
  // Changes with whatever a manifest must say.
  uint64_t stamp() const;

 private:
  void keep_locked(KeptVersion version);
  std::vector<bool> expired_locked(const Expired& expired) const;
  void join_lines();

  mutable std::mutex mutex_;
  std::vector<HistoryLine> lines_;  // ascending
  size_t joined_ = 0;               // lines before this one are not joined any further
  std::vector<KeptVersion> kept_;   // ascending
  std::optional<VersionNumber> last_lost_;
  uint64_t stamp_ = 0;
};

}  // namespace idem
