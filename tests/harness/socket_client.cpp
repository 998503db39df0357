#include "tests/harness/socket_client.h"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

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

std::string SocketClient::receive_some() {
  char buffer[16 * 1024];
  const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
  return n <= 0 ? "" : std::string(buffer, static_cast<size_t>(n));
}

std::string SocketClient::receive_all() {
  std::string all;
  for (std::string piece = receive_some(); !piece.empty(); piece = receive_some()) all += piece;
  return all;
}

namespace {

std::string request_text(const std::string& method, const std::string& target, const std::string& body,
                         const std::string& headers) {
  return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The chunks at the begin of `text`, put together. Gives their length in it; npos while the last is missing.
size_t join_chunks(const std::string& text, std::string* body) {
  size_t at = 0;
  while (true) {
    const size_t line = text.find("\r\n", at);
    if (line == text.npos) return text.npos;
    const size_t size = std::stoul(text.substr(at, line - at), nullptr, 16);
    if (text.size() < line + 2 + size + 2) return text.npos;
    body->append(text, line + 2, size);
    at = line + 2 + size + 2;
    if (size == 0) return at;
  }
}

}  // namespace

HttpResponse HttpClient::request(const std::string& method, const std::string& target,
                                 const std::string& body, const std::string& headers) {
  socket_.send(request_text(method, target, body, headers));
  HttpResponse response;
  size_t head_end = std::string::npos;
  while (true) {
    if (head_end == std::string::npos && (head_end = rest_.find("\r\n\r\n")) != std::string::npos) {
      response.head = rest_.substr(0, head_end + 2);
      rest_.erase(0, head_end + 4);
      response.status = std::stoi(response.head.substr(9, 3));
    }
    if (head_end != std::string::npos) {
      const size_t length = response.head.find("Content-Length: ");
      std::string joined;
      size_t used = 0;
      if (response.head.find("chunked") != std::string::npos) {
        used = join_chunks(rest_, &joined);
      } else if (length != std::string::npos) {
        used = std::stoul(response.head.substr(length + 16));
        if (rest_.size() < used) used = std::string::npos;
        else joined = rest_.substr(0, used);
      }
      if (used != std::string::npos) {
        rest_.erase(0, used);
        response.body = std::move(joined);
        response.is_whole = true;
        return response;
      }
    }
    const std::string piece = socket_.receive_some();
    if (piece.empty()) {
      if (head_end == std::string::npos) throw std::runtime_error("no HTTP answer: " + rest_);
      response.body = std::exchange(rest_, {});
      return response;
    }
    rest_ += piece;
  }
}

HttpResponse http_request(uint16_t port, const std::string& method, const std::string& target,
                          const std::string& body, const std::string& headers) {
  return HttpClient(port).request(method, target, body, "Connection: close\r\n" + headers);
}

std::string url_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte)) (out += c);
    else out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
  }
  return out;
}

}  // namespace idem::test
