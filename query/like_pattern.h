#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace idem {

// A LIKE pattern, ready for many texts: % any characters, _ one, \ takes the next character as it is.
// Patterns without _ whose only % stand at the ends compare bytes directly. A pattern that ends with \ is
// 22025 when a text gets that far.
class LikePattern {
 public:
  LikePattern(std::string_view pattern, bool ignore_case);

  bool matches(std::string_view text) const;

  // What every match begins with, byte for byte; empty with ignore_case.
  const std::string& prefix() const { return prefix_; }

 private:
  enum class Form : uint8_t { kExact, kPrefix, kSuffix, kContains, kPrefixSuffix, kGeneral };
  struct Token {
    enum class Kind : uint8_t { kByte, kAnyCharacter, kAnyText, kTrailingEscape } kind = Kind::kByte;
    char byte = 0;
  };

  void choose_form();
  bool matches_general(std::string_view text) const;

  bool ignore_case_;
  Form form_ = Form::kGeneral;
  std::vector<Token> tokens_;
  std::string prefix_, literal_, suffix_;
};

// pattern LIKE … ESCAPE escape, rewritten for \ as escape. Throws 22025 unless escape is one character or
// empty.
std::string like_escape(std::string_view pattern, std::string_view escape);

}  // namespace idem
