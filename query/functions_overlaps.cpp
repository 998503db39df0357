// (a, b) OVERLAPS (c, d): two spans of time, each given by its ends or by its start and length.

#include "common/interval.h"
#include "common/timestamp_arithmetic.h"
#include "query/function_registry.h"
#include "query/kernel.h"

namespace idem {

namespace {

using Moment = std::optional<int64_t>;
struct Span {
  Moment start, end;  // in order; one that is NULL is the end
};

std::optional<Span> in_order(Moment a, Moment b) {
  if (!a && !b) return std::nullopt;
  if (!a || (b && *a > *b)) std::swap(a, b);
  return Span{a, b};
}

// `early` begins before `late`.
std::optional<bool> reaches(const Span& early, const Span& late) {
  if (!early.end) return std::nullopt;
  if (*late.start < *early.end) return true;
  return late.end ? std::optional(false) : std::nullopt;
}

// As SQL has it: an end does not belong to its span, but for a span without length.
std::optional<bool> overlap(Moment a_start, Moment a_end, Moment b_start, Moment b_end) {
  const std::optional<Span> a = in_order(a_start, a_end), b = in_order(b_start, b_end);
  if (!a || !b) return std::nullopt;
  if (*a->start < *b->start) return reaches(*a, *b);
  if (*b->start < *a->start) return reaches(*b, *a);
  return a->end && b->end ? std::optional(true) : std::nullopt;
}

template <bool kTime>
Moment end_of(const Moment&, const Moment& end) {
  return end;
}
template <bool kTime>
Moment end_of(const Moment& start, const std::optional<Interval>& length) {
  if (!start || !length) return std::nullopt;
  return kTime ? add_interval_to_time(*start, *length) : add_interval(*start, *length);
}

// A and B are what the second and the fourth argument are: int64_t or Interval.
template <bool kTime, class A, class B>
void add_overlaps(FunctionRegistry& r, SqlType moment) {
  const auto type_of = [&](bool is_length) { return is_length ? SqlType(TypeId::kInterval) : moment; };
  ScalarFunction& overlaps = r.add(
      "overlaps",
      {moment, type_of(std::is_same_v<A, Interval>), moment, type_of(std::is_same_v<B, Interval>)},
      TypeId::kBoolean,
      row_kernel<[](const Moment& a, const std::optional<A>& b, const Moment& c, const std::optional<B>& d) {
        return overlap(a, end_of<kTime>(a, b), c, end_of<kTime>(c, d));
      }>);
  overlaps.strict = false;
}

template <bool kTime>
void add_all(FunctionRegistry& r, SqlType moment) {
  add_overlaps<kTime, int64_t, int64_t>(r, moment);
  add_overlaps<kTime, int64_t, Interval>(r, moment);
  add_overlaps<kTime, Interval, int64_t>(r, moment);
  add_overlaps<kTime, Interval, Interval>(r, moment);
}

}  // namespace

void register_overlaps(FunctionRegistry& r) {
  add_all<false>(r, TypeId::kTimestamp);
  add_all<false>(r, TypeId::kTimestampTz);
  add_all<true>(r, TypeId::kTime);
}

}  // namespace idem
