#include "query/number_format.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "common/ascii.h"
#include "common/error.h"

namespace idem {

namespace {

bool takes(std::string_view pattern, size_t at, std::string_view word) {
  if (pattern.size() - at < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(pattern[at + i])) != word[i]) return false;
  }
  return true;
}

constexpr std::array<std::pair<int, std::string_view>, 13> kRoman = {{{1000, "M"},
                                                                      {900, "CM"},
                                                                      {500, "D"},
                                                                      {400, "CD"},
                                                                      {100, "C"},
                                                                      {90, "XC"},
                                                                      {50, "L"},
                                                                      {40, "XL"},
                                                                      {10, "X"},
                                                                      {9, "IX"},
                                                                      {5, "V"},
                                                                      {4, "IV"},
                                                                      {1, "I"}}};

std::string_view ordinal_suffix(std::string_view digits) {
  const char last = digits.empty() ? '0' : digits.back();
  if (digits.size() > 1 && digits[digits.size() - 2] == '1') return "th";
  return last == '1' ? "st" : last == '2' ? "nd" : last == '3' ? "rd" : "th";
}

}  // namespace

NumberFormat::NumberFormat(std::string_view pattern) {
  const auto add = [&](Kind kind) { tokens_.push_back({kind, false, {}}); };
  for (size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    if (takes(pattern, at, "FM")) {
      fill_ = true;
      at += 2;
    } else if (takes(pattern, at, "EEEE")) {
      scientific_ = true;
      at += 4;
    } else if (takes(pattern, at, "RN")) {
      roman_ = true;
      roman_lower_ = c == 'r';
      at += 2;
    } else if (takes(pattern, at, "PR")) {
      angle_ = explicit_sign_ = true;
      at += 2;
    } else if (takes(pattern, at, "MI") || takes(pattern, at, "PL") || takes(pattern, at, "SG")) {
      add(takes(pattern, at, "MI")   ? Kind::kMinus
          : takes(pattern, at, "PL") ? Kind::kPlus
                                     : Kind::kSignAnywhere);
      explicit_sign_ = explicit_sign_ || tokens_.back().kind != Kind::kPlus;
      at += 2;
    } else if (takes(pattern, at, "TH")) {
      add(Kind::kOrdinal);
      tokens_.back().zero = c == 'T';
      at += 2;
    } else {
      ++at;
      switch (c) {
        case '9':
        case '0':
          if (angle_) throw sql_error(sqlstate::kSyntaxError, "\"{}\" must be ahead of \"PR\"", c);
          add_digit(c == '0');
          break;
        case '.':
        case 'D':
        case 'd':
          if (has_point_) throw SqlError(sqlstate::kSyntaxError, "multiple decimal points");
          if (in_multiplied_)
            throw SqlError(sqlstate::kSyntaxError, "cannot use \"V\" and decimal point together");
          has_point_ = true;
          add(Kind::kPoint);
          break;
        case ',':
        case 'G':
        case 'g': add(Kind::kGroup); break;
        case 'S':
        case 's':
          if (has_sign_) throw SqlError(sqlstate::kSyntaxError, "cannot use \"S\" twice");
          has_sign_ = explicit_sign_ = true;
          sign_leads_ = before_ == 0 && after_ == 0;
          add(Kind::kSign);
          break;
        case 'L':
        case 'l': add(Kind::kCurrency); break;
        case 'V':
        case 'v': in_multiplied_ = true; break;
        case '"': {
          Token token{Kind::kLiteral, false, {}};
          while (at < pattern.size() && pattern[at] != '"') token.literal += pattern[at++];
          ++at;
          tokens_.push_back(std::move(token));
          break;
        }
        default: tokens_.push_back({Kind::kLiteral, false, std::string(1, c)});
      }
    }
  }
  if (sign_leads_ && before_ == 0) {
    // There is no digit before the point that it could stand before.
    sign_leads_ = false;
    std::stable_partition(tokens_.begin(), tokens_.end(),
                          [](const Token& t) { return t.kind != Kind::kSign; });
  }
}

void NumberFormat::add_digit(bool zero) {
  tokens_.push_back({Kind::kDigit, zero, {}});
  if (has_point_) {
    ++after_;
    if (zero) last_zero_after_ = after_;
  } else {
    if (zero && zero_from_ < 0) zero_from_ = before_;
    ++before_;
    multiplied_ += in_multiplied_;
  }
}

void NumberFormat::append_roman(std::string& out, const Decimal& value) const {
  const Decimal rounded = round(value);
  std::string text;
  if (rounded.value < 1 || rounded.value > 3999) {
    text.assign(15, '#');
  } else {
    auto rest = static_cast<int>(rounded.value);
    for (const auto& [number, letters] : kRoman) {
      for (; rest >= number; rest -= number) text += letters;
    }
  }
  if (roman_lower_) text = to_lower(text);
  if (!fill_ && text.size() < 15) out.append(15 - text.size(), ' ');
  out += text;
}

void NumberFormat::append_scientific(std::string& out, const Decimal& value) const {
  const std::string text = fmt::format("{:.{}e}", decimal_to_double(value), after_);
  if (text[0] != '-') out += ' ';
  out += text;
}

void NumberFormat::append(std::string& out, const Decimal& original) const {
  if (roman_) return append_roman(out, original);
  if (scientific_) return append_scientific(out, original);
  Decimal value = original;
  if (multiplied_ > 0) value = multiply(value, Decimal{power_of_ten(multiplied_), 0});
  value = round(value, after_);
  bool negative = sign(value) < 0;
  std::string digits = decimal_to_string(absolute(value));
  const size_t point = digits.find('.');
  std::string whole = digits.substr(0, point);
  std::string fraction = point == std::string::npos ? std::string() : digits.substr(point + 1);
  fraction.resize(static_cast<size_t>(after_), '0');
  const bool is_zero = sign(value) == 0;
  if (is_zero) negative = false;
  if (whole == "0") whole.clear();
  // The zero of 0.5 needs a place as well.
  const bool overflow = std::max(static_cast<int>(whole.size()), 1) > before_;
  // Digits that FM shows after the point: up to the last that is not zero or has a 0 in the template.
  int shown_after = after_;
  if (fill_ && !overflow) {
    while (shown_after > last_zero_after_ && fraction[static_cast<size_t>(shown_after) - 1] == '0')
      --shown_after;
  }

  std::string body;
  const int blank = before_ - static_cast<int>(whole.size());
  int position = 0, place = 0;
  bool in_fraction = false, started = false;
  const std::string sign_text = negative ? "-" : has_sign_ ? "+" : angle_ ? (negative ? "<" : " ") : " ";
  const auto write_sign = [&] {
    if (started) return;
    started = true;
    if (has_sign_ && !sign_leads_) return;
    if (angle_) {
      if (negative) {
        body += '<';
      } else if (!fill_) {
        body += ' ';
      }
    } else if (!explicit_sign_ || has_sign_) {
      if (sign_text != " " || !fill_) body += sign_text;
    }
  };
  for (const Token& token : tokens_) {
    switch (token.kind) {
      case Kind::kDigit:
        if (in_fraction) {
          if (position < shown_after) body += overflow ? '#' : fraction[static_cast<size_t>(position)];
          ++position;
          break;
        }
        if (overflow) {
          write_sign();
          body += '#';
        } else if (place >= blank) {
          write_sign();
          body += whole[static_cast<size_t>(place - blank)];
        } else if (zero_from_ >= 0 && place >= zero_from_) {
          write_sign();
          body += '0';
        } else if (place + 1 == before_ &&
                   (!has_point_ || (after_ == 0 && !fill_) || (is_zero && fill_ && shown_after == 0)) &&
                   whole.empty()) {
          write_sign();
          body += '0';
        } else if (place + 1 == before_ && has_point_) {
          // The zero before the point is not shown where a 9 stands.
          if (!fill_) body += ' ';
        } else if (!fill_) {
          body += ' ';
        }
        ++place;
        break;
      case Kind::kPoint:
        write_sign();
        in_fraction = true;
        if (after_ > 0 || overflow) body += '.';
        break;
      case Kind::kGroup:
        if (overflow || (started && (place > blank || (zero_from_ >= 0 && place > zero_from_)))) {
          body += ',';
        } else if (!fill_) {
          body += ' ';
        }
        break;
      case Kind::kSign:
        if (!sign_leads_) body += negative ? '-' : '+';
        break;
      case Kind::kMinus:
        if (negative) {
          body += '-';
        } else if (!fill_) {
          body += ' ';
        }
        break;
      case Kind::kPlus:
        if (!negative) {
          body += '+';
        } else if (!fill_) {
          body += ' ';
        }
        break;
      case Kind::kSignAnywhere: body += negative ? '-' : '+'; break;
      case Kind::kCurrency:
        if (!fill_) body += ' ';
        break;
      case Kind::kOrdinal:
        if (!negative && !has_point_ && !overflow) {
          for (const char c : ordinal_suffix(whole.empty() ? "0" : whole)) {
            body += token.zero ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
          }
        }
        break;
      case Kind::kLiteral: body += token.literal; break;
    }
  }
  if (angle_) {
    if (negative) {
      body += '>';
    } else if (!fill_) {
      body += ' ';
    }
  }
  out += body;
}

Decimal NumberFormat::parse(std::string_view text) const {
  std::string digits;
  bool negative = false, has_point = false;
  for (const char c : text) {
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      digits += c;
    } else if (c == '.' && !has_point && has_point_) {
      has_point = true;
      digits += c;
    } else if (c == '-' || c == '<') {
      negative = true;
    }
  }
  if (digits.empty() || digits == ".") {
    throw sql_error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type numeric: \"{}\"",
                    text);
  }
  Decimal value = decimal_from_text(negative ? "-" + digits : digits);
  if (multiplied_ > 0) value = divide(value, Decimal{power_of_ten(multiplied_), 0});
  return value;
}

}  // namespace idem
