#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace idem {

// PostgreSQL's advanced regular expressions on top of RE2: escapes and options are translated, the longest
// match is taken unless the pattern has a non-greedy quantifier. Look-around and back references are 0A000,
// errors in the pattern 2201B.
class Regex {
 public:
  // `flags` as in regexp_replace: i c n m s p w x q; g is the caller's business.
  Regex(std::string_view pattern, std::string_view flags);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  bool matches(std::string_view text) const;
  int group_count() const;
  // The first match at or after byte `start`: group 0 is the whole; a group that took no part has a null data
  // pointer.
  bool find(std::string_view text, size_t start, std::vector<std::string_view>* groups) const;

 private:
  std::unique_ptr<re2::RE2> compiled_;
};

// SIMILAR TO's pattern as a regular expression that is anchored at both ends; `escape` is one character or
// empty.
std::string similar_to_regex(std::string_view pattern, std::string_view escape);

// The same for SUBSTRING(x SIMILAR pattern ESCAPE escape): the part between two escape-double-quotes is
// group 1.
std::string similar_substring_regex(std::string_view pattern, std::string_view escape);

// The first match after `start` that a search for all matches takes: moves on behind empty matches. `*next`
// is where the following search begins; greater than text.size() at the end.
bool find_next(const Regex& regex, std::string_view text, size_t* next,
               std::vector<std::string_view>* groups);

// The parts of `text` between the matches; empty matches at its ends and right behind another match do not
// split.
std::vector<std::string_view> regex_split(const Regex& regex, std::string_view text);

}  // namespace idem
