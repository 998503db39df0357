#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/decimal.h"

namespace idem {

// A template of to_char(number, '…'), and of to_number: 9 0 . , D G S SG MI PL PR FM TH V EEEE RN L and
// "texts". Locale C.
class NumberFormat {
 public:
  // Throws 42601 for templates that contradict themselves.
  explicit NumberFormat(std::string_view pattern);

  void append(std::string& out, const Decimal& value) const;
  Decimal parse(std::string_view text) const;  // to_number

  int digits_after_point() const { return after_ + multiplied_; }
  bool is_scientific() const { return scientific_; }

 private:
  enum class Kind : uint8_t {
    kDigit,
    kPoint,
    kGroup,
    kSign,
    kMinus,
    kPlus,
    kSignAnywhere,
    kCurrency,
    kOrdinal,
    kLiteral
  };
  struct Token {
    Kind kind = Kind::kDigit;
    bool zero = false;  // 0 instead of 9; TH instead of th
    std::string literal;
  };

  void add_digit(bool zero);
  void append_scientific(std::string& out, const Decimal& value) const;
  void append_roman(std::string& out, const Decimal& value) const;

  std::vector<Token> tokens_;
  int before_ = 0, after_ = 0, multiplied_ = 0;
  int zero_from_ = -1;       // index among the digits before the point of the first 0
  int last_zero_after_ = 0;  // digits after the point up to the last 0
  bool has_point_ = false, fill_ = false, has_sign_ = false, sign_leads_ = false, angle_ = false,
       scientific_ = false, roman_ = false, roman_lower_ = false, in_multiplied_ = false,
       explicit_sign_ = false;
};

}  // namespace idem
