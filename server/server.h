#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/configuration.h"

namespace idem {

// The whole server: opens the data folder, listens, serves until told to stop.
class Server {
 public:
  // Opens everything; after this connections are accepted. Throws SqlError where the folder, the address or the certificate
  // does not do.
  explicit Server(const Configuration& configuration);
  ~Server();

  uint16_t port() const;
  std::optional<uint16_t> http_port() const, line_port() const;  // none: not served
  const std::string& recovery_text() const;   // one line for people: what was found in the folder

  // Serves until stop(), SIGTERM or SIGINT; then no new connections, running statements are cancelled, clients get 57P01, and
  // the database is closed.
  void run();
  void stop();   // any thread

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace idem
