#include <cmath>
#include <numbers>

#include "common/error.h"
#include "query/angles.h"
#include "query/kernel.h"
#include "query/signature_types.h"
#include "query/value_functions.h"

namespace idem {

// Trigonometry in degrees, computed as PostgreSQL does it, so that what should be exact is: sind(30) is 0.5.
namespace {

// Not constants for the compiler, which would round them in its own way: they must be those that the C library gives.
struct Scales {
  double sin_30 = std::sin(30 * kDegree);
  double one_minus_cos_60 = 1 - std::cos(60 * kDegree);
  double asin_half = std::asin(0.5);
  double acos_half = std::acos(0.5);
  double atan_one = std::atan(1.0);
};
const Scales& scales() {
  static const Scales s;
  return s;
}

double sind_0_to_30(double x) { return std::sin(x * kDegree) / scales().sin_30 / 2; }
double cosd_0_to_60(double x) { return 1 - (1 - std::cos(x * kDegree)) / scales().one_minus_cos_60 / 2; }
double sind_quadrant(double x) { return x <= 30 ? sind_0_to_30(x) : cosd_0_to_60(90 - x); }
double cosd_quadrant(double x) { return x <= 60 ? cosd_0_to_60(x) : sind_0_to_30(90 - x); }

double asind_quadrant(double x) {
  return x <= 0.5 ? std::asin(x) / scales().asin_half * 30 : 90 - std::acos(x) / scales().acos_half * 60;
}
double acosd_quadrant(double x) {
  return x <= 0.5 ? 90 - std::asin(x) / scales().asin_half * 30 : std::acos(x) / scales().acos_half * 60;
}

[[noreturn]] void throw_out_of_range() {
  throw SqlError(sqlstate::kNumericValueOutOfRange, "input is out of range");
}

// An angle brought into the first quadrant, and where it was.
struct Angle {
  explicit Angle(double x) {
    if (std::isinf(x)) throw_out_of_range();
    degrees = std::fmod(x, 360.0);
    is_negative = degrees < 0;
    degrees = std::fabs(degrees);
    in_lower_half = degrees > 180;
    if (in_lower_half) degrees = 360 - degrees;
    in_left_half = degrees > 90;
    if (in_left_half) degrees = 180 - degrees;
  }
  double degrees;
  bool is_negative, in_lower_half, in_left_half;
};

double sign_of(bool negative) { return negative ? -1 : 1; }
double without_negative_zero(double x) { return x == 0 ? 0 : x; }

double sind(double x) {
  const Angle a(x);
  return sign_of(a.is_negative != a.in_lower_half) * sind_quadrant(a.degrees);
}
double cosd(double x) {
  const Angle a(x);
  return sign_of(a.in_left_half) * cosd_quadrant(a.degrees);
}
// Tangent and cotangent: exactly 1 at 45 degrees.
double quotient(double x, double (*upper)(double), double (*lower)(double)) {
  const Angle a(x);
  const double at_45 = upper(45) / lower(45);
  const bool negative = (a.is_negative != a.in_lower_half) != a.in_left_half;
  return without_negative_zero(sign_of(negative) * (upper(a.degrees) / lower(a.degrees) / at_45));
}
double tand(double x) { return quotient(x, sind_quadrant, cosd_quadrant); }
double cotd(double x) { return quotient(x, cosd_quadrant, sind_quadrant); }

double asind(double x) { return check_unit(x) >= 0 ? asind_quadrant(x) : -asind_quadrant(-x); }
double acosd(double x) { return check_unit(x) >= 0 ? acosd_quadrant(x) : 90 + asind_quadrant(-x); }

template <double (*kFunction)(double)>
double unless_nan(double x) {
  return std::isnan(x) ? x : kFunction(x);
}

}  // namespace

void register_degree_functions(FunctionRegistry& r) {
  const auto add = [&](std::string_view name, ScalarKernel kernel) {
    r.add(name, {kDouble}, kDouble, kernel);
  };
  add("sind", row_kernel<[](double x) { return unless_nan<sind>(x); }>);
  add("cosd", row_kernel<[](double x) { return unless_nan<cosd>(x); }>);
  add("tand", row_kernel<[](double x) { return unless_nan<tand>(x); }>);
  add("cotd", row_kernel<[](double x) { return unless_nan<cotd>(x); }>);
  add("asind", row_kernel<[](double x) { return unless_nan<asind>(x); }>);
  add("acosd", row_kernel<[](double x) { return unless_nan<acosd>(x); }>);
  add("atand", row_kernel<[](double x) { return std::atan(x) / scales().atan_one * 45; }>);
  r.add("atan2d", {kDouble, kDouble}, kDouble,
        row_kernel<[](double y, double x) { return std::atan2(y, x) / scales().atan_one * 45; }>);
}

}  // namespace idem
