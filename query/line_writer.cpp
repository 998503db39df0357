#include "query/line_writer.h"

#include <set>

#include "common/error.h"
#include "common/utf8.h"
#include "query/line_target.h"
#include "query/session_state.h"

namespace idem {

namespace {

constexpr size_t kMaxReported = 100;
constexpr int64_t kNanosPerMicro = 1'000;
constexpr std::string_view kTime = "timestamp";  // the column of the time

// Towards the past, as everywhere: 1,999 ns are 1 µs, -1 ns is -1 µs.
bool to_micros(int64_t time, int64_t unit, int64_t* micros) {
  if (unit >= kNanosPerMicro) return !__builtin_mul_overflow(time, unit / kNanosPerMicro, micros);
  const int64_t per_micro = kNanosPerMicro / unit;
  *micros = time / per_micro - (time % per_micro < 0 ? 1 : 0);
  return true;
}

}  // namespace

LineWriter::LineWriter(SessionState& session) : session_(session), inserts_(session.server.workers) {}
LineWriter::~LineWriter() = default;

void LineWriter::reject(uint64_t number, std::string reason) {
  ++result_.rejected;
  if (result_.errors.size() < kMaxReported) result_.errors.push_back({number, std::move(reason)});
}

void LineWriter::create_table(const LinePoint& point) {
  std::string columns = "\"timestamp\" TIMESTAMP", keys = "\"timestamp\"";
  std::set<std::string_view> names = {kTime};
  // Not left to CREATE TABLE, whose 42701 tells of a race with another sender.
  const auto check_is_new = [&](std::string_view name) {
    if (names.insert(name).second) return;
    throw sql_error(sqlstate::kInvalidParameterValue, "\"{}\" is given twice{}", name,
                    name == kTime ? ": it is the time at the end of the line" : "");
  };
  for (const LineTag& tag : point.tags) {
    check_is_new(tag.name);
    columns += ", " + tag_definition(tag.name);
    keys += ", " + quoted_identifier(tag.name);
  }
  for (const LineField& field : point.fields) {
    check_is_new(field.name);
    columns += ", " + field_definition(field);
  }
  run_command(session_, fmt::format("CREATE TABLE IF NOT EXISTS {} ({}) TIMESTAMP(\"timestamp\") PARTITION "
                                    "BY DAY DEDUP UPSERT KEYS({})",
                                    quoted_identifier(point.table), columns, keys));
}

// Null if no line before was of its table.
LineTarget* LineWriter::known_target(const LinePoint& point) {
  if (last_target_ && last_shape_ == point.shape) return last_target_;
  const auto found = targets_.find(std::string(point.table));
  last_target_ = found == targets_.end() ? nullptr : found->second.get();
  last_shape_ = point.shape;
  return last_target_;
}

LineTarget* LineWriter::new_target(const LinePoint& point) {
  std::string name(point.table);
  session_.begin_write_statement();
  if (!session_.find_table({name})) {
    name = folded_identifier(point.table);
    if (!session_.find_table({name})) {
      name = point.table;
      if (!session_.find_view({name})) create_table(point);
    }
  }
  auto target = std::make_unique<LineTarget>(session_, inserts_, std::move(name));
  return last_target_ = targets_.emplace(point.table, std::move(target)).first->second.get();
}

LineWriteResult LineWriter::write(std::string_view text, int64_t unit) {
  session_.check_writable("line protocol");
  const int64_t now = session_.server.clock->now_micros();
  LineSplitter lines(text);
  LineParser parser;
  const LinePoint& point = parser.point();
  std::string_view line;
  std::string error;
  const bool is_valid = is_valid_utf8(text);
  for (uint64_t number = 0; lines.next(&line, &number);) {
    if (!parser.parse(line, &error)) {
      reject(number, std::move(error));
      continue;
    }
    if (!is_valid && !is_valid_utf8(line)) {
      reject(number, "the line is not valid UTF-8");
      continue;
    }
    std::optional<int64_t> micros;
    if (point.timestamp && !to_micros(*point.timestamp, unit, &micros.emplace())) {
      reject(number, fmt::format("timestamp {} is out of range", *point.timestamp));
      continue;
    }
    LineTarget* target = known_target(point);
    if (!target) {
      inserts_.wait();
      try {
        target = new_target(point);
      } catch (const SqlError& failure) {
        if (is_lost_race(failure)) throw;
        // This table cannot be written; others can.
        reject(number, failure.message());
        continue;
      }
    }
    if (target->append(point, micros, now, &error)) ++result_.accepted;
    else reject(number, std::move(error));
  }
  for (const auto& [table, target] : targets_) target->flush();
  inserts_.wait();
  return std::move(result_);
}

}  // namespace idem
