#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace idem::test {

// Speaks the wire protocol byte by byte, also wrongly. Used by one thread.
class RawClient {
 public:
  explicit RawClient(uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(std::string_view bytes);
  // Start-up as user admin of database main, up to the first ReadyForQuery.
  void log_in();
  void send_message(char type, std::string_view body);
  void send_query(const std::string& sql) { send_message('Q', sql + std::string(1, '\0')); }

  struct Message {
    char type = 0;  // 0: the server closed the connection
    std::string body;
  };
  Message receive();
  // Messages up to and with one of this type; the last is returned, {0} when the connection ends before.
  Message receive_until(char type);
  // Bytes may be left in either direction.
  void close();
  void shut_down_writing();

 private:
  bool receive_exactly(char* out, size_t size);
  int fd_ = -1;
};

// Field of an ErrorResponse: 'C' SQLSTATE, 'M' message, … "" if absent.
std::string error_field(std::string_view body, char field);
std::string network_int32(uint32_t value);

}  // namespace idem::test
