#include "common/calendar.h"

#include <cmath>

#include "common/error.h"

namespace idem {

IsoWeek iso_week(int64_t days) {
  const int32_t weekday = iso_day_of_week(days);
  const int64_t thursday = days - weekday + 4;
  const int32_t year = civil_from_days(thursday).year;
  const auto week = static_cast<int32_t>((thursday - days_from_civil(year, 1, 1)) / 7) + 1;
  return {year, week, weekday};
}

int64_t days_from_iso_week(int32_t iso_year, int32_t week, int32_t weekday) {
  const int64_t fourth = days_from_civil(iso_year, 1, 4);  // always in week 1
  return fourth - iso_day_of_week(fourth) + 7 * (week - 1) + weekday;
}

CivilDate add_months(const CivilDate& date, int64_t months) {
  const int64_t total = static_cast<int64_t>(date.year) * 12 + (date.month - 1) + months;
  CivilDate result;
  result.year = static_cast<int32_t>(floor_divide(total, 12));
  result.month = static_cast<int32_t>(floor_modulo(total, 12)) + 1;
  const int32_t last_day = days_in_month(result.year, result.month);
  result.day = date.day < last_day ? date.day : last_day;
  return result;
}

int64_t timestamp_from_date(int32_t days) {
  if (days == kDateInfinity) return kTimestampInfinity;
  if (days == kDateMinusInfinity) return kTimestampMinusInfinity;
  int64_t micros;
  if (__builtin_mul_overflow(static_cast<int64_t>(days), kMicrosPerDay, &micros) ||
      !is_valid_timestamp(micros)) {
    throw sql_error(sqlstate::kDatetimeFieldOverflow, "date out of range for timestamp");
  }
  return micros;
}

int32_t date_from_timestamp(int64_t micros) {
  if (micros == kTimestampInfinity) return kDateInfinity;
  if (micros == kTimestampMinusInfinity) return kDateMinusInfinity;
  return static_cast<int32_t>(days_of_micros(micros));
}

int32_t make_date(int32_t year, int32_t month, int32_t day) {
  const int32_t astronomical = year < 0 ? year + 1 : year;
  if (year != 0 && month >= 1 && month <= 12 && day >= 1 && day <= days_in_month(astronomical, month)) {
    const int64_t days = days_from_civil(astronomical, month, day);
    if (days >= kMinDate && days < kEndDate) return static_cast<int32_t>(days);
  }
  throw sql_error(sqlstate::kDatetimeFieldOverflow, "date field value out of range: {}-{:02}-{:02}", year,
                  month, day);
}

int64_t make_time(int32_t hour, int32_t minute, double second) {
  const bool is_end_of_day = hour == 24 && minute == 0 && second == 0;
  if (!is_end_of_day &&
      (hour < 0 || hour > 23 || minute < 0 || minute > 59 || !(second >= 0) || second > 60)) {
    throw sql_error(sqlstate::kDatetimeFieldOverflow, "time field value out of range: {}:{:02}:{:02}", hour,
                    minute, second);
  }
  return hour * kMicrosPerHour + minute * kMicrosPerMinute +
         static_cast<int64_t>(std::rint(second * static_cast<double>(kMicrosPerSecond)));
}

}  // namespace idem
