#pragma once

#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "common/simulated_file.h"
#include "wal/log.h"
#include "wal/recovery.h"

namespace idem::wal {

inline constexpr char kLogDirectory[] = "/db/log";
inline constexpr DatabaseId kTestDatabase{{1, 2, 3}};

// Small segments: a few records each.
inline LogOptions small_segments() {
  LogOptions options;
  options.segment_bytes = 16 * 1024;
  options.compress_from_bytes = 256;
  return options;
}

inline std::string payload_of(CommitNumber commit, uint64_t seed = 0) {
  std::mt19937_64 random(commit * 1'000'003 + seed);
  const size_t size = random() % 10 == 0 ? random() % 5000 : random() % 300;
  std::string out = std::to_string(commit) + "/" + std::to_string(seed) + ":";
  while (out.size() < size) out += static_cast<char>('a' + random() % 26);
  return out;
}

using Records = std::map<CommitNumber, std::string>;

struct Recovered {
  Records records;
  RecoveryResult result;
};

inline Recovered recover_log(FileSystem& fs, Position from = {}) {
  Recovered out;
  out.result = recover(fs, kLogDirectory, kTestDatabase, from, [&](const Record& record) {
    EXPECT_TRUE(out.records.empty() || out.records.rbegin()->first < record.commit_number);
    out.records[record.commit_number] = std::string(record.payload);
  });
  EXPECT_EQ(out.records.size(), out.result.record_count);
  return out;
}

inline std::unique_ptr<Log> open_log(FileSystem& fs, const LogOptions& options = small_segments(),
                                     LogListener* listener = nullptr, Position from = {}) {
  return Log::open(fs, kLogDirectory, options, recover_log(fs, from).result, listener);
}

// Appends commits [first, last] and waits for each.
inline Records commit_range(Log& log, CommitNumber first, CommitNumber last, uint64_t seed = 0) {
  Records out;
  for (CommitNumber commit = first; commit <= last; ++commit) {
    out[commit] = payload_of(commit, seed);
    log.append(commit, out[commit], commit % 3 == 0 ? Compression::kLz4 : Compression::kNone);
    log.wait_durable(commit);
  }
  return out;
}

template <class F>
std::string error_of(F&& call) {
  try {
    call();
  } catch (const SqlError& error) { return error.sqlstate() + " " + error.message(); }
  return "no error";
}

class RecordingListener final : public LogListener {
 public:
  void on_durable(CommitNumber commit_number) override {
    std::lock_guard lock(mutex_);
    EXPECT_LT(durable_, commit_number);
    EXPECT_EQ(failures_, 0);
    durable_ = commit_number;
  }
  void on_failed(const SqlError& error) override {
    std::lock_guard lock(mutex_);
    ++failures_;
    failure_ = error.message();
  }
  CommitNumber durable() const {
    std::lock_guard lock(mutex_);
    return durable_;
  }
  int failures() const {
    std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  mutable std::mutex mutex_;
  CommitNumber durable_ = 0;
  int failures_ = 0;
  std::string failure_;
};

}  // namespace idem::wal
