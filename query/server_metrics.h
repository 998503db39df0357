#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace idem {

struct ServerContext;

// What a server tells of itself, in Prometheus' terms: metrics() in SQL, /metrics over HTTP.
struct MetricSample {
  std::string suffix;  // of the name: "_bucket", "_sum", "_count" of a histogram
  std::string labels;  // `le="0.001"`, "" = none
  double value = 0;
};
struct Metric {
  enum class Kind : uint8_t { kCounter, kGauge, kHistogram };
  std::string_view name, help;
  Kind kind = Kind::kCounter;
  std::vector<MetricSample> samples;
};

std::vector<Metric> collect_metrics(const ServerContext& server);

// The text exposition format, version 0.0.4.
std::string prometheus_text(const std::vector<Metric>& metrics);

}  // namespace idem
