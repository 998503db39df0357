#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace idem::test {

// A TCP connection to 127.0.0.1. Throws std::runtime_error where the other side is not there.
class SocketClient {
 public:
  explicit SocketClient(uint16_t port);
  ~SocketClient();
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;

  void send(std::string_view bytes);
  void shut_down_writing();
  std::string receive_all();   // until the other side closes
  std::string receive_some();  // "" when it has closed

 private:
  int fd_ = -1;
};

struct HttpResponse {
  int status = 0;
  std::string head, body;
  bool is_whole = false;  // the body did not end early
};
// A connection that is kept from request to request.
class HttpClient {
 public:
  explicit HttpClient(uint16_t port) : socket_(port) {}
  HttpResponse request(const std::string& method, const std::string& target, const std::string& body = "",
                       const std::string& headers = "");

 private:
  SocketClient socket_;
  std::string rest_;  // received and not used
};
std::string url_encoded(std::string_view text);
// One request on a connection of its own; `headers`: more of them, each with its line end.
HttpResponse http_request(uint16_t port, const std::string& method, const std::string& target,
                          const std::string& body = "", const std::string& headers = "");

}  // namespace idem::test
