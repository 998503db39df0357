#include "tools/progress_bar.h"

#include <algorithm>
#include <fmt/format.h>
#include <iostream>
#include <unistd.h>

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
  const double done = static_cast<double>(p.total_bytes > 0 ? p.bytes : p.rows);
  const double all = static_cast<double>(p.total_bytes > 0 ? p.total_bytes : p.total_rows);
  std::string line;
  if (all > 0) line = bar(std::min(1.0, done / all)) + "  ";
  line += fmt::format("{} rows  {}", with_thousands(p.rows), readable_bytes(p.bytes));
  if (p.total_bytes > 0) line += " of " + readable_bytes(p.total_bytes);
  line += fmt::format("  {} rows/s", with_thousands(rate));
  if (done > 0 && done < all) line += fmt::format("  {} left", minutes(seconds * (all - done) / done));
  return line;
}

ProgressBar::ProgressBar(Clock& clock)
    : clock_(clock), terminal_(isatty(STDERR_FILENO) == 1), begun_nanos_(clock.monotonic_nanos()) {}

void ProgressBar::update(Progress progress) {
  if (!terminal_) return;
  progress.elapsed_nanos = elapsed_nanos();
  if (progress.elapsed_nanos - drawn_nanos_ < kRedrawNanos) return;
  drawn_nanos_ = progress.elapsed_nanos;
  std::cerr << "\r" << progress_line(progress) << "\x1b[K" << std::flush;
}

void ProgressBar::clear() {
  if (terminal_ && drawn_nanos_ > 0) std::cerr << "\r\x1b[K" << std::flush;
}

int64_t ProgressBar::elapsed_nanos() const { return clock_.monotonic_nanos() - begun_nanos_; }

}  // namespace idem::tools
