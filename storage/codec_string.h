#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/byte_io.h"
#include "storage/codec.h"
#include "storage/vector.h"

namespace idem {

// Encodes the vectors of one row group's column of strings: by a dictionary of the row group where few are
// distinct, else a vector's characters as one LZ4 block where that saves something, else as they are.
class StringEncoder {
 public:
  // Looks at all values, as long as a dictionary seems worthwhile.
  explicit StringEncoder(std::vector<std::span<const std::string_view>> vectors);

  const std::string& parameters() const { return parameters_; }  // of the blocks
  // The codec is returned, the payload appended.
  Codec encode(std::span<const std::string_view> values, std::string* payload) const;

 private:
  bool collect_distinct(const std::vector<std::span<const std::string_view>>& vectors);

  std::vector<std::string_view> distinct_;  // ascending, so that equal rows make equal files
  std::unordered_map<std::string_view, uint32_t> codes_;
  bool use_dictionary_ = false;
  std::string parameters_;
};

// Strings that the vectors of a block share; views into the block's bytes. Throws XX001.
std::vector<std::string_view> read_string_dictionary(std::string_view parameters);

// Reads a payload of kDictionary, kLz4 or kPlain into `values`. Views point into the payload, the
// dictionary's bytes or, for kLz4, the characters of `out`'s buffer. Throws XX001.
void decode_strings(Codec codec, ByteReader& in, uint32_t count,
                    const std::vector<std::string_view>& dictionary, Vector* out, std::string_view* values);

}  // namespace idem
