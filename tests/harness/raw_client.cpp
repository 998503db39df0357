#include "tests/harness/raw_client.h"

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace idem::test {

RawClient::RawClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{120, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("could not connect");
}

RawClient::~RawClient() { close(); }

void RawClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void RawClient::shut_down_writing() { ::shutdown(fd_, SHUT_WR); }

void RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error("could not send");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

std::string network_int32(uint32_t value) {
  const uint32_t bytes = htonl(value);
  return std::string(reinterpret_cast<const char*>(&bytes), sizeof bytes);
}

void RawClient::send_message(char type, std::string_view body) {
  send(std::string(1, type) + network_int32(static_cast<uint32_t>(body.size()) + 4) + std::string(body));
}

void RawClient::log_in() {
  using namespace std::string_literals;
  const std::string body = network_int32(196608) + "user\0admin\0database\0main\0\0"s;
  send(network_int32(static_cast<uint32_t>(body.size()) + 4) + body);
  if (receive_until('Z').type != 'Z') throw std::runtime_error("could not log in");
}

bool RawClient::receive_exactly(char* out, size_t size) {
  while (size > 0) {
    const ssize_t received = ::recv(fd_, out, size, 0);
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      throw std::runtime_error("the server does not answer");
    if (received <= 0) return false;
    out += received;
    size -= static_cast<size_t>(received);
  }
  return true;
}

RawClient::Message RawClient::receive() {
  char header[5];
  if (!receive_exactly(header, sizeof header)) return {};
  uint32_t length = 0;
  std::memcpy(&length, header + 1, sizeof length);
  length = ntohl(length);
  Message message{header[0], std::string(length - 4, '\0')};
  if (!receive_exactly(message.body.data(), message.body.size())) return {};
  return message;
}

RawClient::Message RawClient::receive_until(char type) {
  while (true) {
    Message message = receive();
    if (message.type == type || message.type == 0) return message;
  }
}

std::string error_field(std::string_view body, char field) {
  while (!body.empty() && body[0] != '\0') {
    const size_t end = body.find('\0');
    if (end == body.npos) break;
    if (body[0] == field) return std::string(body.substr(1, end - 1));
    body.remove_prefix(end + 1);
  }
  return "";
}

}  // namespace idem::test
