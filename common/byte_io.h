#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace idem {

static_assert(std::endian::native == std::endian::little, "files and log records are little-endian");

constexpr uint64_t zigzag_encode(int64_t v) {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
constexpr int64_t zigzag_decode(uint64_t v) {
  return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
}

// Appends numbers and strings to a string of bytes that it does not own: fixed-width little-endian, LEB128
// varints.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u16(uint16_t v) { fixed(v); }
  void u32(uint32_t v) { fixed(v); }
  void u64(uint64_t v) { fixed(v); }
  void i32(int32_t v) { fixed(v); }
  void i64(int64_t v) { fixed(v); }
  void f64(double v) { fixed(v); }
  void boolean(bool v) { u8(v ? 1 : 0); }
  void varint(uint64_t v) {
    while (v >= 0x80) {
      u8(static_cast<uint8_t>(v) | 0x80);
      v >>= 7;
    }
    u8(static_cast<uint8_t>(v));
  }
  void signed_varint(int64_t v) { varint(zigzag_encode(v)); }
  void bytes(const void* data, size_t size) { out_.append(static_cast<const char*>(data), size); }
  void bytes(std::string_view data) { out_.append(data); }
  // Length as a varint, then the bytes.
  void string(std::string_view text) {
    varint(text.size());
    out_.append(text);
  }
  void zeros(size_t count) { out_.append(count, '\0'); }

  // Where the next byte goes, for set_u32() and set_u64() of what is known only later.
  size_t offset() const { return out_.size(); }
  void set_u32(size_t offset, uint32_t v) { std::memcpy(out_.data() + offset, &v, sizeof v); }
  void set_u64(size_t offset, uint64_t v) { std::memcpy(out_.data() + offset, &v, sizeof v); }

 private:
  template <class T>
  void fixed(T v) {
    out_.append(reinterpret_cast<const char*>(&v), sizeof v);
  }

  std::string& out_;
};

// Reads what ByteWriter wrote, from bytes that it does not own and never beyond their end. Every call throws
// SqlError XX001 "<what> is truncated or damaged" when the bytes do not hold what is asked for.
class ByteReader {
 public:
  // `what` names the source in errors, e.g. a file; it must outlive the reader.
  ByteReader(std::string_view data, std::string_view what) : data_(data), what_(what) {}

  uint8_t u8() { return fixed<uint8_t>(); }
  uint16_t u16() { return fixed<uint16_t>(); }
  uint32_t u32() { return fixed<uint32_t>(); }
  uint64_t u64() { return fixed<uint64_t>(); }
  int32_t i32() { return fixed<int32_t>(); }
  int64_t i64() { return fixed<int64_t>(); }
  double f64() { return fixed<double>(); }
  bool boolean();
  uint64_t varint();
  int64_t signed_varint() { return zigzag_decode(varint()); }
  // A varint that counts things of at least `min_bytes_each` bytes that follow: a count that cannot be is an
  // error, so that damaged bytes never make the caller allocate more than the data could hold.
  size_t count(size_t min_bytes_each = 1);
  // A view into the data.
  std::string_view bytes(size_t size) {
    if (size > remaining()) fail();
    std::string_view out = data_.substr(offset_, size);
    offset_ += size;
    return out;
  }
  std::string_view string() { return bytes(count()); }
  void skip(size_t size) { bytes(size); }

  size_t offset() const { return offset_; }
  size_t remaining() const { return data_.size() - offset_; }
  bool at_end() const { return offset_ == data_.size(); }
  // Throws if bytes are left.
  void expect_end() const {
    if (!at_end()) fail();
  }
  // For callers that find a value impossible: throws the same error.
  [[noreturn]] void fail() const;

 private:
  template <class T>
  T fixed() {
    if (sizeof(T) > remaining()) fail();
    T v;
    std::memcpy(&v, data_.data() + offset_, sizeof v);
    offset_ += sizeof v;
    return v;
  }

  std::string_view data_;
  std::string_view what_;
  size_t offset_ = 0;
};

}  // namespace idem
