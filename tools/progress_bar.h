#pragma once

#include <cstdint>
#include <string>

#include "common/clock.h"

namespace idem::tools {

// What an import or export has done so far. Totals that are not known are 0.
struct Progress {
  uint64_t rows = 0, bytes = 0;
  uint64_t total_rows = 0, total_bytes = 0;
  int64_t elapsed_nanos = 0;
};

// "[=====>    ]  43 %  1,234,567 rows  12.3 of 28.9 MiB  850,000 rows/s  0:12 left"
std::string progress_line(const Progress& progress);

// Redraws one line on standard error, ten times a second at most, if that is a terminal.
class ProgressBar {
 public:
  explicit ProgressBar(Clock& clock);

  void update(Progress progress);  // but for elapsed_nanos
  // Removes the line.
  void clear();
  int64_t elapsed_nanos() const;

 private:
  Clock& clock_;
  const bool terminal_;
  const int64_t begun_nanos_;
  int64_t drawn_nanos_ = 0;
};

}  // namespace idem::tools
