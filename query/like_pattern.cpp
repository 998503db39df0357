#include "query/like_pattern.h"

#include "common/error.h"
#include "common/utf8.h"

namespace idem {

LikePattern::LikePattern(std::string_view pattern, bool ignore_case) : ignore_case_(ignore_case) {
  const std::string lowered = ignore_case ? utf8_lower(pattern) : std::string(pattern);
  for (size_t i = 0; i < lowered.size(); ++i) {
    const char c = lowered[i];
    if (c == '%') {
      if (tokens_.empty() || tokens_.back().kind != Token::Kind::kAnyText)
        tokens_.push_back({Token::Kind::kAnyText, 0});
    } else if (c == '_') {
      tokens_.push_back({Token::Kind::kAnyCharacter, 0});
    } else if (c == '\\') {
      if (++i == lowered.size()) {
        tokens_.push_back({Token::Kind::kTrailingEscape, 0});
      } else {
        tokens_.push_back({Token::Kind::kByte, lowered[i]});
      }
    } else {
      tokens_.push_back({Token::Kind::kByte, c});
    }
  }
  choose_form();
}

void LikePattern::choose_form() {
  std::vector<std::string> runs(1);
  for (const Token& token : tokens_) {
    if (token.kind == Token::Kind::kByte) {
      runs.back() += token.byte;
    } else {
      runs.emplace_back();
    }
  }
  if (!ignore_case_) prefix_ = runs[0];
  size_t texts = 0;
  for (const Token& token : tokens_) {
    if (token.kind == Token::Kind::kAnyCharacter || token.kind == Token::Kind::kTrailingEscape) return;
    texts += token.kind == Token::Kind::kAnyText;
  }
  const bool begins = !tokens_.empty() && tokens_.front().kind == Token::Kind::kAnyText;
  const bool ends = !tokens_.empty() && tokens_.back().kind == Token::Kind::kAnyText;
  if (texts == 0) {
    form_ = Form::kExact;
    literal_ = runs[0];
  } else if (texts == 1 && ends) {
    form_ = Form::kPrefix;
    literal_ = runs[0];
  } else if (texts == 1 && begins) {
    form_ = Form::kSuffix;
    literal_ = runs[1];
  } else if (texts == 1) {
    form_ = Form::kPrefixSuffix;
    literal_ = runs[0];
    suffix_ = runs[1];
  } else if (texts == 2 && begins && ends) {
    form_ = Form::kContains;
    literal_ = runs[1];
  }
}

bool LikePattern::matches(std::string_view original) const {
  std::string lowered;
  std::string_view text = original;
  if (ignore_case_) text = lowered = utf8_lower(original);
  switch (form_) {
    case Form::kExact: return text == literal_;
    case Form::kPrefix: return text.starts_with(literal_);
    case Form::kSuffix: return text.ends_with(literal_);
    case Form::kPrefixSuffix:
      return text.size() >= literal_.size() + suffix_.size() && text.starts_with(literal_) &&
             text.ends_with(suffix_);
    case Form::kContains: return text.find(literal_) != std::string_view::npos;
    case Form::kGeneral: return matches_general(text);
  }
  return false;
}

// Greedy with one point of return: the last % seen.
bool LikePattern::matches_general(std::string_view text) const {
  size_t at = 0, token = 0;
  size_t return_at = 0, return_token = SIZE_MAX;
  while (true) {
    if (token < tokens_.size() && tokens_[token].kind == Token::Kind::kAnyText) {
      return_token = ++token;
      return_at = at;
      if (token == tokens_.size()) return true;
      continue;
    }
    if (at == text.size()) return token == tokens_.size();
    if (token < tokens_.size() && tokens_[token].kind == Token::Kind::kAnyCharacter) {
      at = std::min(at + utf8_sequence_length(text[at]), text.size());
      ++token;
      continue;
    }
    if (token < tokens_.size() && tokens_[token].kind == Token::Kind::kTrailingEscape) {
      throw SqlError(sqlstate::kInvalidEscapeSequence, "LIKE pattern must not end with escape character");
    }
    if (token < tokens_.size() && tokens_[token].byte == text[at]) {
      ++at;
      ++token;
      continue;
    }
    if (return_token == SIZE_MAX || return_at >= text.size()) return false;
    return_at = std::min(return_at + utf8_sequence_length(text[return_at]), text.size());
    at = return_at;
    token = return_token;
  }
}

std::string like_escape(std::string_view pattern, std::string_view escape) {
  if (utf8_length(escape) > 1) {
    throw SqlError(sqlstate::kInvalidEscapeSequence, "invalid escape string")
        .with_hint("Escape string must be empty or one character.");
  }
  std::string out;
  for (size_t i = 0; i < pattern.size();) {
    if (!escape.empty() && pattern.substr(i).starts_with(escape)) {
      i += escape.size();
      out += '\\';
      if (i < pattern.size()) out += pattern[i++];
    } else {
      if (pattern[i] == '\\' && escape != "\\") out += '\\';
      out += pattern[i++];
    }
  }
  return out;
}

}  // namespace idem
