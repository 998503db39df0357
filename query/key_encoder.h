#pragma once

#include <span>
#include <vector>

#include "query/byte_key.h"
#include "storage/vector.h"

namespace idem {

// Keys of rows as bytes: equal keys, and only they, give equal bytes. Used by one thread.
//
//   one text            its own characters, where they are
//   numbers and texts   a bit for each NULL │ for each number, in the order of the columns, its bytes (a numeric: see
//                       append_decimal in the source), for each text its length and characters
//   anything else       what append_key_bytes() makes of each
class KeyEncoder {
 public:
  explicit KeyEncoder(std::span<const SqlType> types);

  // The key is one text, whose bytes are valid as long as the characters of the vector encoded.
  bool is_one_text() const { return layout_ == Layout::kOneText; }
  void encode(const Vector* keys, Selection selection);
  // Of the i-th selected row; valid until the next encode().
  const ByteKey& key(uint32_t i) const { return keys_[i]; }
  const uint32_t* hashes() const { return hashes_.data(); }

 private:
  enum class Layout : uint8_t { kOneText, kColumns, kRows };

  void take_texts(const Vector& texts, Selection selection);
  void encode_columns(const Vector* keys, Selection selection);
  void encode_rows(const Vector* keys, Selection selection);
  void take_bytes(uint32_t i, std::string_view bytes);

  const std::vector<SqlType> types_;
  Layout layout_;
  std::vector<ByteKey> keys_;
  std::vector<uint32_t> hashes_;
  std::vector<char> bytes_;
  std::vector<uint32_t> begins_, ends_;  // of each row's bytes
};

}  // namespace idem
