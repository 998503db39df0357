#include <algorithm>
#include <bit>

#include "common/error.h"
#include "query/kernel.h"
#include "query/signature_types.h"
#include "query/value_functions.h"

namespace idem {

namespace {

using View = std::string_view;

void check_index(int64_t index, int64_t end) {
  if (0 <= index && index < end) return;
  throw sql_error(sqlstate::kArraySubscriptError, "index {} out of valid range, 0..{}", index, end - 1);
}

int32_t byte_at(View bytes, int32_t index) {
  check_index(index, static_cast<int64_t>(bytes.size()));
  return static_cast<uint8_t>(bytes[static_cast<size_t>(index)]);
}

void set_byte(std::string& out, View bytes, int32_t index, int32_t value) {
  check_index(index, static_cast<int64_t>(bytes.size()));
  out = bytes;
  out[static_cast<size_t>(index)] = static_cast<char>(value);
}

// Bits are counted from the lowest of the first byte.
int32_t bit_at(View bytes, int64_t index) {
  check_index(index, static_cast<int64_t>(bytes.size()) * 8);
  return static_cast<uint8_t>(bytes[static_cast<size_t>(index / 8)]) >> (index % 8) & 1;
}

void set_bit(std::string& out, View bytes, int64_t index, int32_t value) {
  check_index(index, static_cast<int64_t>(bytes.size()) * 8);
  if (value != 0 && value != 1) throw SqlError(sqlstate::kInvalidParameterValue, "new bit must be 0 or 1");
  out = bytes;
  char& byte = out[static_cast<size_t>(index / 8)];
  const int mask = 1 << (index % 8);
  byte = static_cast<char>(value == 1 ? byte | mask : byte & ~mask);
}

int64_t bit_count(View bytes) {
  int64_t count = 0;
  for (const char c : bytes) count += std::popcount(static_cast<uint8_t>(c));
  return count;
}

View without_first(View bytes, View dropped) {
  const size_t first = bytes.find_first_not_of(dropped);
  return first == View::npos ? View() : bytes.substr(first);
}
View without_last(View bytes, View dropped) {
  return bytes.substr(0, bytes.find_last_not_of(dropped) + 1);  // npos + 1 is 0
}

// `count` bytes from `start` (counted from 1) on give way to the replacement.
void overlay(std::string& out, View bytes, View replacement, int32_t start, int64_t count) {
  if (start < 1) throw SqlError(sqlstate::kSubstringError, "negative substring length not allowed");
  const auto size = static_cast<int64_t>(bytes.size());
  const int64_t begin = std::min<int64_t>(start - 1, size);
  const int64_t end = std::clamp<int64_t>(start - 1 + count, 0, size);
  out = bytes.substr(0, static_cast<size_t>(begin));
  out += replacement;
  out += bytes.substr(static_cast<size_t>(end));
}

}  // namespace

void register_bytea_functions(FunctionRegistry& r) {
  r.add("get_byte", {kBytea, kInt4}, kInt4, row_kernel<[](View b, int32_t i) { return byte_at(b, i); }>);
  r.add("set_byte", {kBytea, kInt4, kInt4}, kBytea,
        row_kernel<[](std::string& out, View b, int32_t i, int32_t v) { set_byte(out, b, i, v); }>);
  r.add("get_bit", {kBytea, kInt8}, kInt4, row_kernel<[](View b, int64_t i) { return bit_at(b, i); }>);
  r.add("set_bit", {kBytea, kInt8, kInt4}, kBytea,
        row_kernel<[](std::string& out, View b, int64_t i, int32_t v) { set_bit(out, b, i, v); }>);
  r.add("bit_count", {kBytea}, kInt8, row_kernel<[](View b) { return bit_count(b); }>);
  r.add("bit_length", {kBytea}, kInt4, row_kernel<[](View b) { return static_cast<int32_t>(b.size() * 8); }>);
  r.add("position", {kBytea, kBytea}, kInt4, row_kernel<[](View b, View part) {
          return static_cast<int32_t>(b.find(part) + 1);  // npos + 1 is 0
        }>);
  r.add("ltrim", {kBytea, kBytea}, kBytea, row_kernel<[](View b, View d) { return without_first(b, d); }>);
  r.add("rtrim", {kBytea, kBytea}, kBytea, row_kernel<[](View b, View d) { return without_last(b, d); }>);
  r.add("btrim", {kBytea, kBytea}, kBytea,
        row_kernel<[](View b, View d) { return without_last(without_first(b, d), d); }>);
  r.add("overlay", {kBytea, kBytea, kInt4}, kBytea,
        row_kernel<[](std::string& out, View b, View part, int32_t s) {
          overlay(out, b, part, s, static_cast<int64_t>(part.size()));
        }>);
  r.add("overlay", {kBytea, kBytea, kInt4, kInt4}, kBytea,
        row_kernel<[](std::string& out, View b, View part, int32_t s, int32_t n) {
          overlay(out, b, part, s, n);
        }>);
}

}  // namespace idem
