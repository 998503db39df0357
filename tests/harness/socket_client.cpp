#include "tests/harness/socket_client.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace idem::test {

SocketClient::SocketClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd_ < 0 || ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    if (fd_ >= 0) ::close(fd_);
    throw std::runtime_error(std::string("could not connect: ") + std::strerror(errno));
  }
}

SocketClient::~SocketClient() { ::close(fd_); }

void SocketClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0) throw std::runtime_error(std::string("could not send: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void SocketClient::shut_down_writing() { ::shutdown(fd_, SHUT_WR); }

std::string SocketClient::receive_all() {
  std::string all;
  char buffer[16 * 1024];
  while (true) {
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) return all;
    all.append(buffer, static_cast<size_t>(n));
  }
}

HttpResponse http_request(uint16_t port, const std::string& method, const std::string& target, const std::string& body,
                          const std::string& headers) {
  SocketClient client(port);
  client.send(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  const std::string text = client.receive_all();
  const size_t end = text.find("\r\n\r\n");
  if (text.size() < 12 || end == text.npos) throw std::runtime_error("no HTTP answer: " + text);
  return {std::stoi(text.substr(9, 3)), text.substr(end + 4)};
}

}  // namespace idem::test
