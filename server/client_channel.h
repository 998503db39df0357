#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace idem {

// The client is gone, or the server is closing the connection: unwinds the handler of a connection.
class ConnectionClosed : public std::runtime_error {
 public:
  ConnectionClosed() : std::runtime_error("connection closed") {}
};

// Where a protocol handler's messages go. Called by the one thread that runs the handler.
class ClientChannel {
 public:
  virtual ~ClientChannel() = default;
  // Takes the bytes (and empties `bytes`). Waits while too much is unsent, so that a client that reads slowly holds back
  // the query and not the server's memory. Throws ConnectionClosed.
  virtual void send(std::string& bytes) = 0;
  // How the client is connected: whether what it sends is encrypted, and whose certificate it has shown ("": nobody's).
  virtual bool is_encrypted() const = 0;
  virtual std::string certificate_name() const = 0;
  // Authentication is over; told before the client is, since what it sends from then on may be large.
  virtual void session_started(int32_t pid) = 0;
  // Whether a commit may wait for those of other clients that come at the same time (ProtocolHandler::shared_commit).
  virtual bool shares_commits() const = 0;
  // Whether the client has sent more than the message that is handled.
  virtual bool has_more_input() = 0;
  // The session has messages of others for the client, to be delivered when it waits for nothing. Any thread; short.
  virtual void notifications_came() = 0;
};

}  // namespace idem
