#include "query/sample_buckets.h"

#include <algorithm>

#include "common/calendar.h"
#include "common/error.h"

namespace idem {

namespace {

constexpr int64_t kMonday = -3 * kMicrosPerDay;  // 1969-12-29

int64_t unit_micros(char unit) {
  switch (unit) {
    case 'U': return 1;
    case 'T': return kMicrosPerMilli;
    case 's': return kMicrosPerSecond;
    case 'm': return kMicrosPerMinute;
    case 'h': return kMicrosPerHour;
    case 'd': return kMicrosPerDay;
    case 'w': return 7 * kMicrosPerDay;
    default: return 0;
  }
}

int64_t month_index(int64_t micros) {
  const CivilDate date = civil_from_days(days_of_micros(micros));
  return int64_t{date.year} * 12 + date.month - 1;
}

}  // namespace

SampleBuckets::SampleBuckets(const SampleSpec& spec, int64_t first_observation) {
  width_ = unit_micros(spec.unit) * spec.count;
  if (spec.unit == 'M') months_ = spec.count;
  if (spec.unit == 'y') months_ = 12 * spec.count;
  if (width_ <= 0 && months_ <= 0) {
    throw sql_error(sqlstate::kInvalidParameterValue, "invalid SAMPLE BY unit \"{}{}\"", spec.count,
                    spec.unit);
  }
  if (!spec.time_zone.empty()) {
    zone_ = time_zone_from_name(spec.time_zone);
    if (zone_->is_utc()) zone_.reset();
  }
  if (!spec.align_to_calendar) {
    origin_ = to_local(first_observation);
  } else if (spec.from) {
    origin_ = to_local(*spec.from);
  } else {
    origin_ = (spec.unit == 'w' ? kMonday : 0) + spec.offset_micros;
  }
}

int64_t SampleBuckets::months_after_origin(int64_t count) const {
  const int64_t day = days_of_micros(origin_);
  const CivilDate date = add_months(civil_from_days(day), count);
  return days_from_civil(date) * kMicrosPerDay + time_of_day(origin_);
}

int64_t SampleBuckets::start_of(int64_t micros) const {
  const int64_t local = to_local(micros);
  int64_t start;
  if (width_ > 0) {
    start = origin_ + floor_divide(local - origin_, width_) * width_;
    if (!zone_) return start;
    if (width_ <= kMicrosPerHour) return start + (micros - local);
  } else {
    int64_t count = floor_divide(month_index(local) - month_index(origin_), months_) * months_;
    start = months_after_origin(count);
    if (start > local) start = months_after_origin(count - months_);
    if (!zone_) return start;
  }
  const int64_t utc = zone_->local_to_utc(start);
  return utc <= micros ? utc : start + (micros - local);
}

int64_t SampleBuckets::next(int64_t bucket_start) const {
  if (width_ > 0 && (!zone_ || width_ <= kMicrosPerHour)) return bucket_start + width_;
  const int64_t local = to_local(bucket_start);
  int64_t after;
  if (width_ > 0) {
    after = local + width_;
  } else {
    const int64_t count = floor_divide(month_index(local) - month_index(origin_), months_) * months_;
    after = months_after_origin(count);
    if (after <= local) after = months_after_origin(count + months_);
  }
  if (!zone_) return after;
  return std::max(zone_->local_to_utc(after), bucket_start + 1);
}

}  // namespace idem
