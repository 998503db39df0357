#pragma once

#include <memory>

#include "common/time_zone.h"
#include "query/logical_plan.h"

namespace idem {

// The buckets that SAMPLE BY cuts time into. Times are microseconds UTC.
//
// Calendar buckets are counted from 1970-01-01 (weeks from its Monday) on the wall clock of the zone, shifted
// by the offset; with FROM from that moment, and with FIRST OBSERVATION from the first row. Buckets of an
// hour and less keep both passes of the hour that a change to standard time repeats apart; longer ones
// stretch or shrink with the change.
class SampleBuckets {
 public:
  // `first_observation` is used only where the spec asks for it. Throws 22023 for an unknown unit or zone.
  SampleBuckets(const SampleSpec& spec, int64_t first_observation);

  int64_t start_of(int64_t micros) const;    // of the bucket that holds `micros`
  int64_t next(int64_t bucket_start) const;  // start of the bucket behind

 private:
  int64_t to_local(int64_t utc) const { return zone_ ? zone_->utc_to_local(utc) : utc; }
  int64_t months_after_origin(int64_t count) const;

  int64_t width_ = 0;  // microseconds; 0: months
  int64_t months_ = 0;
  int64_t origin_ = 0;                    // local
  std::shared_ptr<const TimeZone> zone_;  // null: UTC
};

}  // namespace idem
