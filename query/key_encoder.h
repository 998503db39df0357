#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "storage/vector.h"

namespace idem {

// Keys of rows as bytes: equal keys, and only they, give equal bytes. Used by one thread.
//
//   one text            its own characters, where they are
//   numbers and texts   a bit for each NULL │ 8 (UUID 16) bytes for each number │ length and characters for each text …
//   anything else       what append_key_bytes() makes of each
class KeyEncoder {
 public:
  explicit KeyEncoder(std::span<const SqlType> types);

  // The key is one text, whose bytes are valid as long as the characters of the vector encoded.
  bool is_one_text() const { return layout_ == Layout::kOneText; }
  void encode(const Vector* keys, Selection selection);
  // Of the i-th selected row; valid until the next encode().
  std::string_view key(uint32_t i) const { return keys_[i]; }
  uint32_t hash(uint32_t i) const { return hashes_[i]; }
  const uint32_t* hashes() const { return hashes_.data(); }

  // A text that is NULL is not the empty one.
  static std::string_view null_key() { return {&kNull, 0}; }
  static bool equal(std::string_view a, std::string_view b) {
    return a == b && (!a.empty() || (a.data() == &kNull) == (b.data() == &kNull));
  }

 private:
  enum class Layout : uint8_t { kOneText, kColumns, kRows };
  static constexpr char kNull = 0;

  void take_texts(const Vector& texts, Selection selection);
  void encode_columns(const Vector* keys, Selection selection);
  void encode_rows(const Vector* keys, Selection selection);

  const std::vector<SqlType> types_;
  Layout layout_;
  std::vector<std::string_view> keys_;
  std::vector<uint32_t> hashes_;
  std::vector<char> bytes_;
  std::vector<uint32_t> ends_;  // of each row's bytes so far
};

}  // namespace idem
