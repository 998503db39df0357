#include "tools/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "tools/text_table.h"

namespace idem::tools {

namespace {

constexpr int kWidth = 24;
constexpr int64_t kRedrawNanos = 100'000'000;

std::string bar(double share) {
  const int filled = std::clamp(static_cast<int>(share * kWidth), 0, kWidth);
  std::string out(static_cast<size_t>(filled), '=');
  if (filled < kWidth) out += '>';
  out.resize(kWidth, ' ');
  return fmt::format("[{}] {:3.0f} %", out, share * 100);
}

std::string minutes(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

std::string progress_line(const Progress& p) {
  const double seconds = std::max(static_cast<double>(p.elapsed_nanos) / 1e9, 1e-3);
  const auto rate = static_cast<uint64_t>(static_cast<double>(p.rows) / seconds);
  std::string line;
  if (p.total_bytes > 0) line = bar(static_cast<double>(p.bytes) / static_cast<double>(p.total_bytes)) + "  ";
  line += fmt::format("{} rows  {}", with_thousands(p.rows), readable_bytes(p.bytes));
  if (p.total_bytes > 0) line += " of " + readable_bytes(p.total_bytes);
  line += fmt::format("  {} rows/s", with_thousands(rate));
  if (p.total_bytes > p.bytes && p.bytes > 0) {
    line += fmt::format("  {} left", minutes(seconds * static_cast<double>(p.total_bytes - p.bytes) / static_cast<double>(p.bytes)));
  }
  return line;
}

ProgressBar::ProgressBar(Clock& clock, uint64_t total_bytes)
    : clock_(clock), terminal_(isatty(STDERR_FILENO) == 1), begun_nanos_(clock.monotonic_nanos()) {
  progress_.total_bytes = total_bytes;
}

void ProgressBar::update(uint64_t rows, uint64_t bytes) {
  if (!terminal_) return;
  progress_.rows = rows;
  progress_.bytes = bytes;
  progress_.elapsed_nanos = elapsed_nanos();
  if (progress_.elapsed_nanos - drawn_nanos_ < kRedrawNanos) return;
  drawn_nanos_ = progress_.elapsed_nanos;
  std::cerr << "\r" << progress_line(progress_) << "\x1b[K" << std::flush;
}

void ProgressBar::clear() {
  if (terminal_ && drawn_nanos_ > 0) std::cerr << "\r\x1b[K" << std::flush;
}

int64_t ProgressBar::elapsed_nanos() const { return clock_.monotonic_nanos() - begun_nanos_; }

}  // namespace idem::tools
