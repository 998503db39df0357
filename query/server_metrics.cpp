#include "query/server_metrics.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

#include "common/measured_file_system.h"
#include "query/session.h"

namespace idem {

namespace {

constexpr double kMicrosPerSecond = 1e6;

class MetricList {
 public:
  void counter(std::string_view name, std::string_view help, uint64_t value) {
    add(name, help, Metric::Kind::kCounter, {{"", "", to_double(value)}});
  }
  void gauge(std::string_view name, std::string_view help, uint64_t value) {
    add(name, help, Metric::Kind::kGauge, {{"", "", to_double(value)}});
  }
  void labelled(std::string_view name, std::string_view help, Metric::Kind kind, std::string_view label,
                const std::vector<std::pair<std::string, uint64_t>>& values) {
    std::vector<MetricSample> samples;
    for (const auto& [text, value] : values)
      samples.push_back({"", fmt::format("{}=\"{}\"", label, text), to_double(value)});
    add(name, help, kind, std::move(samples));
  }
  void histogram(std::string_view name, std::string_view help, const LatencyHistogram::Values& values) {
    std::vector<MetricSample> samples;
    uint64_t count = 0;
    for (size_t i = 0; i < values.counts.size(); ++i) {
      count += values.counts[i];
      const bool is_bounded = i < LatencyHistogram::kBuckets;
      const std::string bound =
          is_bounded ? fmt::format("{}", to_double(LatencyHistogram::bound_micros(i)) / kMicrosPerSecond)
                     : std::string("+Inf");
      samples.push_back({"_bucket", fmt::format("le=\"{}\"", bound), to_double(count)});
    }
    samples.push_back({"_sum", "", to_double(values.sum_micros) / kMicrosPerSecond});
    samples.push_back({"_count", "", to_double(count)});
    add(name, help, Metric::Kind::kHistogram, std::move(samples));
  }

  std::vector<Metric> take() { return std::move(metrics_); }

 private:
  static double to_double(uint64_t value) { return static_cast<double>(value); }
  void add(std::string_view name, std::string_view help, Metric::Kind kind,
           std::vector<MetricSample> samples) {
    metrics_.push_back({name, help, kind, std::move(samples)});
  }

  std::vector<Metric> metrics_;
};

void collect_sessions(const ServerContext& server, MetricList& out) {
  const SessionMetrics& m = server.metrics;
  std::map<std::string, uint64_t> by_state = {{"active", 0}, {"idle", 0}, {"idle in transaction", 0}};
  for (const SessionActivity& activity : server.sessions->activities()) ++by_state[activity.state];
  out.labelled("idemdb_sessions", "Sessions that are open, by what they do.", Metric::Kind::kGauge, "state",
               {by_state.begin(), by_state.end()});
  out.counter("idemdb_sessions_total", "Sessions begun.", m.sessions.value());
  out.counter("idemdb_commits_total",
              "Transactions that wrote, or would have written but for what was there already.",
              m.commits.value());
  out.labelled("idemdb_rows_total", "Rows of commits, by what became of them.", Metric::Kind::kCounter,
               "outcome",
               {{"inserted", m.rows_inserted.value()},
                {"replaced", m.rows_replaced.value()},
                {"skipped", m.rows_skipped.value()},
                {"deleted", m.rows_deleted.value()}});
  const std::map<std::string, uint64_t> errors = m.errors();
  out.labelled("idemdb_errors_total", "Errors answered, by SQLSTATE.", Metric::Kind::kCounter, "sqlstate",
               {errors.begin(), errors.end()});
  out.histogram("idemdb_request_seconds",
                "From a request to its last answer: simple queries, extended ones up to their Sync, HTTP.",
                m.requests.values());
}

void collect_storage(const ServerContext& server, MetricList& out) {
  const StorageStatus s = server.database->status();
  const int64_t now = server.clock->now_micros();
  if (const auto* files = dynamic_cast<const MeasuredFileSystem*>(server.files)) {
    out.labelled(
        "idemdb_written_bytes_total", "Bytes written to files.", Metric::Kind::kCounter, "file",
        {{"log", files->log().written_bytes.value()}, {"other", files->other().written_bytes.value()}});
    out.histogram("idemdb_log_sync_seconds", "Syncs of the log.", files->log().syncs.values());
    out.histogram("idemdb_file_sync_seconds", "Syncs of other files.", files->other().syncs.values());
  }
  out.gauge("idemdb_log_segments", "Files of the log.", s.log_segments);
  out.gauge("idemdb_log_bytes_since_checkpoint", "Log that a restart would replay.",
            s.log_bytes_since_checkpoint);
  const int64_t age = s.last_checkpoint_micros > 0 ? (now - s.last_checkpoint_micros) / 1'000'000 : 0;
  out.gauge("idemdb_checkpoint_age_seconds", "Time since the last checkpoint; 0: none yet.",
            static_cast<uint64_t>(std::max<int64_t>(age, 0)));
  out.gauge("idemdb_checkpoint_failed", "1: the last checkpoint failed; it is tried again.",
            !s.write_failed && !s.write_failure.empty() ? 1 : 0);
  out.gauge("idemdb_write_failed", "1: the server takes no more writes until it is started again.",
            s.write_failed ? 1 : 0);
  out.labelled("idemdb_memory_bytes", "Memory by use.", Metric::Kind::kGauge, "use",
               {{"queries", server.memory->used()},
                {"rows", s.memory_rows_bytes},
                {"chunk_cache", s.chunk_cache_bytes}});
  out.gauge("idemdb_memory_limit_bytes", "memory_limit.", server.memory->limit());
  out.gauge("idemdb_uptime_seconds", "Time since the start.",
            static_cast<uint64_t>(std::max<int64_t>(now - server.start_time_micros, 0)) / 1'000'000);
}

std::string_view kind_name(Metric::Kind kind) {
  switch (kind) {
    case Metric::Kind::kCounter: return "counter";
    case Metric::Kind::kGauge: return "gauge";
    case Metric::Kind::kHistogram: return "histogram";
  }
  return "untyped";
}

}  // namespace

std::vector<Metric> collect_metrics(const ServerContext& server) {
  MetricList list;
  collect_sessions(server, list);
  collect_storage(server, list);
  return list.take();
}

std::string prometheus_text(const std::vector<Metric>& metrics) {
  constexpr double kMaxExactInteger = 9'007'199'254'740'992.0;
  std::string out;
  for (const Metric& metric : metrics) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", metric.name, metric.help, metric.name,
                       kind_name(metric.kind));
    for (const MetricSample& sample : metric.samples) {
      const bool is_whole =
          sample.value == std::floor(sample.value) && std::abs(sample.value) < kMaxExactInteger;
      const std::string value =
          is_whole ? fmt::format("{}", static_cast<int64_t>(sample.value)) : fmt::format("{}", sample.value);
      out += fmt::format("{}{}{}{}{} {}\n", metric.name, sample.suffix, sample.labels.empty() ? "" : "{",
                         sample.labels, sample.labels.empty() ? "" : "}", value);
    }
  }
  return out;
}

}  // namespace idem
