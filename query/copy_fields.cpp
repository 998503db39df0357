#include "query/copy_fields.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "query/character_set.h"

namespace idem {

namespace {

constexpr size_t kStep = 64;

// Gives the places of the characters of a set one after the other.
class Finder {
 public:
  Finder(std::string_view text, size_t at, const CharacterSet& set) : text_(text), set_(set) { load(at); }

  // The next place; false at the end of the text.
  bool next(size_t* place) {
    while (mask_ == 0) {
      if (base_ + kStep >= text_.size()) return false;
      load(base_ + kStep);
    }
    *place = base_ + static_cast<size_t>(std::countr_zero(mask_));
    mask_ &= mask_ - 1;
    return true;
  }
  // Forgets what lies before `place`, which is not before the last one given.
  void skip_to(size_t place) {
    if (place >= base_ + kStep) {
      load(place);
    } else {
      mask_ &= ~uint64_t{0} << (place - base_);
    }
  }

 private:
  void load(size_t base) {
    base_ = base;
    if (base + kStep <= text_.size()) {
      mask_ = set_.find_in_64(text_.data() + base);
      return;
    }
    mask_ = 0;
    if (base >= text_.size()) return;
    std::array<char, kStep> rest{};
    std::memcpy(rest.data(), text_.data() + base, text_.size() - base);
    mask_ = set_.find_in_64(rest.data()) & ((uint64_t{1} << (text_.size() - base)) - 1);
  }

  std::string_view text_;
  const CharacterSet& set_;
  size_t base_ = 0;
  uint64_t mask_ = 0;
};

}  // namespace

CopyFields::CopyFields(const CopyLayout& layout)
    : csv_(layout.format.kind == CopyFormat::Kind::kCsv),
      delimiter_(layout.format.delimiter),
      special_(csv_ ? layout.format.quote : '\\'),
      fields_(static_cast<uint32_t>(layout.targets.size())),
      null_is_backslash_n_(!csv_ && layout.format.null == "\\N") {
  starts_.resize(size_t{kMaxRows} * fields_);
  ends_.resize(starts_.size());
}

bool CopyFields::find(std::string_view text, size_t at) {
  rows_ = 0;
  end_ = at;
  if (fields_ == 0 || text.size() >= kQuoted) return false;
  const CharacterSet set(delimiter_, '\n', '\r', special_);
  Finder finder(text, at, set);
  uint32_t field = 0;
  uint32_t* starts = starts_.data();
  uint32_t* ends = ends_.data();
  size_t start = at, place = 0;
  uint32_t quoted = 0;
  size_t closed = 0;  // behind a closing quote
  while (rows_ < kMaxRows && finder.next(&place)) {
    const char c = text[place];
    if (c == special_) {
      if (place != start || quoted != 0) break;
      if (!csv_) {
        // \N alone is NULL; every other escape is for the careful reader.
        if (!null_is_backslash_n_ || place + 2 >= text.size() || text[place + 1] != 'N') break;
        const char after = text[place + 2];
        if (after != delimiter_ && after != '\n' && after != '\r') break;
        continue;
      }
      const void* end = std::memchr(text.data() + place + 1, special_, text.size() - place - 1);
      if (!end) break;
      const auto close = static_cast<size_t>(static_cast<const char*>(end) - text.data());
      if (close + 1 >= text.size() || std::memchr(text.data() + place, '\n', close - place)) break;
      const char after = text[close + 1];
      if (after != delimiter_ && after != '\n' && after != '\r') break;
      start = place + 1;
      quoted = kQuoted;
      closed = close;
      finder.skip_to(close + 1);
      continue;
    }
    starts[field] = static_cast<uint32_t>(start) | quoted;
    ends[field] = static_cast<uint32_t>(quoted ? closed : place);
    quoted = 0;
    start = place + 1;
    if (c == delimiter_) {
      if (++field == fields_) break;  // too many
      continue;
    }
    if (c == '\r') {
      if (place + 1 >= text.size() || text[place + 1] != '\n') break;
      finder.skip_to(place + 2);
      start = place + 2;
    }
    if (++field != fields_) break;  // too few
    if (start + kSlack > text.size()) break;
    if (fields_ == 1 && text[end_] == '\\') break;  // perhaps the end of the data
    field = 0;
    ++rows_;
    end_ = start;
    starts += fields_;
    ends += fields_;
  }
  return rows_ > 0;
}

}  // namespace idem
