#include "server/frontend_message.h"

#include <algorithm>

#include "common/error.h"

namespace idem {

namespace {

constexpr size_t kCompactAt = 64 * 1024;
constexpr size_t kLargeBytes = 64 * 1024;  // messages from here on are put together in their own memory …
constexpr size_t kReservedBytes = 1 << 20;
constexpr size_t kSpaceBytes = 256 * 1024;  // … which grows by so much at a time

uint32_t get32(const char* at) {
  auto byte = [&](int i) { return static_cast<uint32_t>(static_cast<uint8_t>(at[i])); };
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

SqlError violation(std::string_view what) {
  return SqlError(sqlstate::kProtocolViolation, std::string(what));
}

}  // namespace

void FrontendDecoder::feed(std::string_view bytes) {
  if (large_filled_ < large_bytes_) {
    const size_t part = std::min(bytes.size(), large_bytes_ - large_filled_);
    large_.body.resize(large_filled_);
    large_.body.append(bytes.substr(0, part));
    large_filled_ += part;
    bytes.remove_prefix(part);
  }
  if (bytes.empty()) return;
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  } else if (at_ >= kCompactAt && at_ >= buffer_.size() / 2) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  buffer_.append(bytes);
}

std::span<char> FrontendDecoder::space() {
  if (large_bytes_ == 0) return {};
  const size_t wanted = std::min(large_bytes_ - large_filled_, kSpaceBytes);
  large_.body.resize(large_filled_ + wanted);
  return {large_.body.data() + large_filled_, wanted};
}

void FrontendDecoder::filled(size_t bytes) {
  large_filled_ += bytes;
  large_.body.resize(large_filled_);
}

// Takes what has come of a large message out of the buffer.
bool FrontendDecoder::begin_large(char type, size_t body_bytes, size_t header_bytes) {
  large_.type = type;
  large_.body.reserve(std::min(body_bytes, kReservedBytes));
  large_.body.assign(buffer_, at_ + header_bytes);
  large_bytes_ = body_bytes;
  large_filled_ = large_.body.size();
  buffer_.clear();
  at_ = 0;
  return false;
}

bool FrontendDecoder::next(FrontendMessage* message) {
  if (large_bytes_ > 0) {
    if (large_filled_ < large_bytes_) return false;
    *message = std::move(large_);
    large_ = {};
    large_bytes_ = large_filled_ = 0;
    return true;
  }
  size_t header = startup_ ? 4 : 5, have = buffered();
  if (have < header) return false;
  const char* p = buffer_.data() + at_;
  uint32_t length = get32(p + header - 4);
  if (length < 4) throw violation("invalid message length");
  if (startup_ && length < 8) throw violation("invalid length of startup packet");
  if (length > max_bytes_) {
    throw violation(startup_ ? "invalid length of startup packet"
                             : fmt::format("message of {} bytes is too long", length));
  }
  size_t total = header - 4 + length;
  if (have < total) return length >= kLargeBytes && !startup_ ? begin_large(*p, length - 4, header) : false;
  message->type = startup_ ? '\0' : *p;
  message->body.assign(p + header, length - 4);
  at_ += total;
  return true;
}

uint8_t MessageReader::int8() { return static_cast<uint8_t>(bytes(1)[0]); }

int16_t MessageReader::int16() {
  std::string_view b = bytes(2);
  return static_cast<int16_t>(static_cast<uint8_t>(b[0]) << 8 | static_cast<uint8_t>(b[1]));
}

int32_t MessageReader::int32() { return static_cast<int32_t>(get32(bytes(4).data())); }

std::string_view MessageReader::text() {
  size_t end = body_.find('\0', at_);
  if (end == body_.npos) throw violation("invalid string in message");
  std::string_view result = body_.substr(at_, end - at_);
  at_ = end + 1;
  return result;
}

std::string_view MessageReader::bytes(size_t count) {
  if (count > body_.size() - at_) throw violation("insufficient data left in message");
  std::string_view result = body_.substr(at_, count);
  at_ += count;
  return result;
}

std::string_view MessageReader::rest() { return bytes(body_.size() - at_); }

void MessageReader::expect_end() const {
  if (!at_end()) throw violation("invalid message format");
}

std::string_view StartupPacket::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

StartupPacket decode_startup(std::string_view body) {
  MessageReader in(body);
  StartupPacket packet;
  packet.code = static_cast<uint32_t>(in.int32());
  if (packet.code == kCancelRequestCode) {
    packet.cancel_pid = in.int32();
    packet.cancel_key = static_cast<uint32_t>(in.int32());
    return packet;
  }
  if (packet.code >> 16 != 3) return packet;
  while (true) {
    std::string_view name = in.text();
    if (name.empty()) break;
    packet.parameters.emplace_back(name, in.text());
  }
  in.expect_end();
  return packet;
}

std::vector<std::pair<std::string, std::string>> parse_startup_options(std::string_view options) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  for (size_t i = 0; i < options.size(); i++) {
    char c = options[i];
    if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
      continue;
    }
    if (c == '\\' && i + 1 < options.size()) c = options[++i];
    word.push_back(c);
    in_word = true;
  }
  if (in_word) words.push_back(std::move(word));

  std::vector<std::pair<std::string, std::string>> settings;
  for (size_t i = 0; i < words.size(); i++) {
    std::string_view w = words[i];
    if (w == "-c" && i + 1 < words.size()) w = words[++i];
    else if (w.starts_with("-c")) w.remove_prefix(2);
    else if (w.starts_with("--")) w.remove_prefix(2);
    else throw sql_error(sqlstate::kSyntaxError, "invalid command-line argument for server process: {}", w);
    size_t equals = w.find('=');
    if (equals == w.npos) throw sql_error(sqlstate::kSyntaxError, "-c {} requires a value", w);
    std::string name(w.substr(0, equals));
    for (char& c : name) c = c == '-' ? '_' : c;
    settings.emplace_back(std::move(name), w.substr(equals + 1));
  }
  return settings;
}

ParseMessage decode_parse(std::string_view body) {
  MessageReader in(body);
  ParseMessage m;
  m.statement = in.text();
  m.sql = in.text();
  uint16_t count = in.uint16();
  m.parameter_oids.reserve(count);
  for (uint16_t i = 0; i < count; i++) m.parameter_oids.push_back(static_cast<uint32_t>(in.int32()));
  in.expect_end();
  return m;
}

BindMessage decode_bind(std::string_view body) {
  MessageReader in(body);
  BindMessage m;
  m.portal = in.text();
  m.statement = in.text();
  std::vector<int16_t> formats(in.uint16());
  for (int16_t& f : formats) f = in.int16();
  uint16_t count = in.uint16();
  if (formats.size() > 1 && formats.size() != count) {
    throw sql_error(sqlstate::kProtocolViolation, "bind message has {} parameter formats but {} parameters",
                    formats.size(), count);
  }
  m.parameters.resize(count);
  for (size_t i = 0; i < count; i++) {
    int32_t length = in.int32();
    if (length < -1) throw violation("invalid parameter length in bind message");
    if (length >= 0) m.parameters[i].bytes = in.bytes(static_cast<size_t>(length));
    m.parameters[i].format = formats.empty() ? int16_t{0} : formats.size() == 1 ? formats[0] : formats[i];
    if (m.parameters[i].format != 0 && m.parameters[i].format != 1) {
      throw sql_error(sqlstate::kInvalidParameterValue, "unsupported format code: {}",
                      m.parameters[i].format);
    }
  }
  m.result_formats.resize(in.uint16());
  for (int16_t& f : m.result_formats) {
    f = in.int16();
    if (f != 0 && f != 1) throw sql_error(sqlstate::kInvalidParameterValue, "unsupported format code: {}", f);
  }
  in.expect_end();
  return m;
}

ExecuteMessage decode_execute(std::string_view body) {
  MessageReader in(body);
  ExecuteMessage m;
  m.portal = in.text();
  int32_t rows = in.int32();
  m.max_rows = rows > 0 ? static_cast<uint64_t>(rows) : 0;
  in.expect_end();
  return m;
}

TargetMessage decode_target(std::string_view body) {
  MessageReader in(body);
  TargetMessage m;
  m.kind = static_cast<char>(in.int8());
  m.name = in.text();
  if (m.kind != 'S' && m.kind != 'P') throw violation("invalid message subtype");
  in.expect_end();
  return m;
}

}  // namespace idem
