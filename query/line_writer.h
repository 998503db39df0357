#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "query/background_task.h"
#include "query/line_protocol.h"
#include "query/session.h"

namespace idem {

class LineTarget;
class SessionState;

// Stores points of InfluxDB line protocol: tables by measurement, columns by tags and fields.
//
// A table that does not exist is created: the designated timestamp `timestamp`, tags as SYMBOL, fields as DOUBLE, BIGINT, BOOLEAN,
// VARCHAR, DECIMAL(20,0), TIMESTAMP; its upsert keys are the timestamp and the tags, its fields KEEP NON NULL: what InfluxDB does with points of
// one series and time. A name that no column has becomes a column; a tag joins the keys where these are the timestamp and all
// SYMBOL columns. A line that does not fit is left out and reported; the others are stored.
class LineWriter {
 public:
  explicit LineWriter(SessionState& session);
  ~LineWriter();

  // Writes into the session's transaction. `unit`: nanoseconds of the senders' unit of time. Throws what concerns the whole: 25006,
  // 42501, 53100 …
  LineWriteResult write(std::string_view text, int64_t unit);

 private:
  LineTarget* known_target(const LinePoint& point);
  LineTarget* new_target(const LinePoint& point);
  void create_table(const LinePoint& point);
  void reject(uint64_t number, std::string reason);

  SessionState& session_;
  BackgroundTask inserts_;
  std::unordered_map<std::string, std::unique_ptr<LineTarget>> targets_;  // by measurement
  LineTarget* last_target_ = nullptr;                                     // of the line before
  uint64_t last_shape_ = 0;
  LineWriteResult result_;
};

}  // namespace idem
