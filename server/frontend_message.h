#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/session.h"

namespace idem {

// Messages of PostgreSQL's wire protocol 3.0, client to server. Everything here comes from outside: what does
// not fit is SqlError 08P01, never an assertion.

inline constexpr uint32_t kProtocolVersion3 = 196608;
inline constexpr uint32_t kCancelRequestCode = 80877102;
inline constexpr uint32_t kSslRequestCode = 80877103;
inline constexpr uint32_t kGssEncRequestCode = 80877104;

inline constexpr uint32_t kMaxStartupBytes = 10'000;      // before authentication, as PostgreSQL
inline constexpr uint32_t kMaxMessageBytes = 0x3fffffff;  // after it, as PostgreSQL

struct FrontendMessage {
  char type = 0;  // 0: a start-up packet (no type byte on the wire)
  std::string body;
};

// Cuts a byte stream into messages. Memory grows with what has arrived, not with what a length announces.
//
// The body of a large message may be read straight into its place: the next bytes of the stream go to space() as far as
// it reaches, what is beyond is fed.
class FrontendDecoder {
 public:
  void feed(std::string_view bytes);
  // Where the next bytes belong, after next() has said that there is no message; empty if they are to be fed. Valid until the next
  // call, which is filled().
  std::span<char> space();
  void filled(size_t bytes);  // so many bytes were put there; the rest of the space was not needed
  // The next whole message; false if more bytes are needed. Throws 08P01 for a length that cannot be.
  bool next(FrontendMessage* message);

  void expect_startup_packet(bool yes) { startup_ = yes; }
  void set_max_bytes(uint32_t bytes) { max_bytes_ = bytes; }
  size_t buffered() const { return buffer_.size() - at_; }

 private:
  bool begin_large(char type, size_t body_bytes, size_t header_bytes);

  std::string buffer_;
  size_t at_ = 0;
  bool startup_ = true;
  uint32_t max_bytes_ = kMaxStartupBytes;
  FrontendMessage large_;   // a message that is being put together outside the buffer …
  size_t large_bytes_ = 0;  // … the size of its body; 0: there is none
  size_t large_filled_ = 0;
};

// Reads the fields of one message body.
class MessageReader {
 public:
  explicit MessageReader(std::string_view body) : body_(body) {}

  uint8_t int8();
  int16_t int16();
  uint16_t uint16() { return static_cast<uint16_t>(int16()); }
  int32_t int32();
  std::string_view text();  // up to its NUL
  std::string_view bytes(size_t count);
  std::string_view rest();
  bool at_end() const { return at_ == body_.size(); }
  void expect_end() const;

 private:
  std::string_view body_;
  size_t at_ = 0;
};

struct StartupPacket {
  uint32_t code = 0;  // protocol version or request code
  int32_t cancel_pid = 0;
  uint32_t cancel_key = 0;
  std::vector<std::pair<std::string, std::string>> parameters;

  std::string_view parameter(std::string_view name) const;  // "" if absent
};
StartupPacket decode_startup(std::string_view body);
// "-c name=value --name=value" of the start-up parameter `options`, backslash escapes as PostgreSQL.
std::vector<std::pair<std::string, std::string>> parse_startup_options(std::string_view options);

struct ParseMessage {
  std::string statement, sql;
  std::vector<uint32_t> parameter_oids;
};
ParseMessage decode_parse(std::string_view body);

struct BindMessage {
  std::string portal, statement;
  std::vector<RawParameter> parameters;  // views into the message's body
  std::vector<int16_t> result_formats;
};
BindMessage decode_bind(std::string_view body);

struct ExecuteMessage {
  std::string portal;
  uint64_t max_rows = 0;  // 0: all
};
ExecuteMessage decode_execute(std::string_view body);

struct TargetMessage {  // Describe and Close
  char kind = 'S';      // 'S' statement, 'P' portal
  std::string name;
};
TargetMessage decode_target(std::string_view body);

}  // namespace idem
