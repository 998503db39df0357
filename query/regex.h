#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "query/cancel_check.h"

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

// All matches in a text, one after the other. The regular expression, the text and the token (null: none) outlive it.
class RegexMatches {
 public:
  // From byte `start` on.
  RegexMatches(const Regex& regex, std::string_view text, size_t start, const CancelToken* cancel);

  // Goes to the next match, behind an empty one by a character; false at the end. 57014.
  bool next();
  // Of the match: as Regex::find().
  const std::vector<std::string_view>& groups() const { return groups_; }
  size_t begin() const { return static_cast<size_t>(groups_[0].data() - text_.data()); }
  size_t end() const { return begin() + groups_[0].size(); }

 private:
  const Regex& regex_;
  const std::string_view text_;
  size_t next_;  // where the next search begins; greater than text_.size() at the end
  std::vector<std::string_view> groups_;
  CancelCheck check_cancel_;
};

// Calls `take` for the parts of `text` between the matches; empty matches at its ends and right behind another match do not
// split.
void regex_split(const Regex& regex, std::string_view text, const CancelToken* cancel,
                 const std::function<void(std::string_view)>& take);

}  // namespace idem
