#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace idem {

// What a kernel makes of a text (a format, a pattern with its flags, a path), made again only when a text changes from one row to the
// next. T is made from kTexts texts.
template <class T, size_t kTexts = 1>
class LastParsed {
 public:
  template <class... Texts>
  const T& get(Texts... texts) {
    static_assert(sizeof...(Texts) == kTexts);
    const std::array<std::string_view, kTexts> now = {texts...};
    bool same = made_.has_value();
    for (size_t i = 0; i < kTexts; ++i) same = same && now[i] == texts_[i];
    if (!same) {
      made_.emplace(std::string_view(texts)...);
      for (size_t i = 0; i < kTexts; ++i) texts_[i] = now[i];
    }
    return *made_;
  }

 private:
  std::optional<T> made_;
  std::array<std::string, kTexts> texts_;
};

}  // namespace idem
