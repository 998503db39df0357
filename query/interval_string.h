#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace idem {

// The time ranges, both ends inclusive in microseconds, that an interval string of `ts IN '…'` means:
//
//   2024                          the year; also 2024-01, 2024-W03, 2024-01-15, 2024-01-15T10, …T10:30,
//   …T10:30:59 2024-01-15T10;30m             the hour and 30 minutes more 2024-01-15T10;30m;1d;7        that
//   on seven days, one after the other
//
// Units of durations: s m h d w M y. Ranges are ascending; those that touch are one. Throws 22007.
std::vector<std::pair<int64_t, int64_t>> parse_interval_string(std::string_view text);

}  // namespace idem
