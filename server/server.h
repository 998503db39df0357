#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/configuration.h"
#include "server/server_log.h"

namespace idem {

ServerLog::Options log_options(const Configuration& configuration);

// The whole server: opens the data folder, listens, serves until told to stop.
class Server {
 public:
  // Opens everything; after this connections are accepted. Throws SqlError where the folder, the address or the certificate
  // does not do.
  // `source`: where the configuration came from, to read it again. `log` outlives the server.
  Server(ConfigurationSource source, const Configuration& configuration, ServerLog& log);
  ~Server();

  uint16_t port() const;
  std::optional<uint16_t> http_port() const, line_port() const;  // none: not served
  const std::string& recovery_text() const;  // one line for people: what was found in the folder

  // Serves until stop(), SIGTERM or SIGINT; then there are no new connections, those that wait for nothing get 57P01, statements and transactions
  // may go on for drain_seconds (until the next such signal), what then still runs is cancelled, and the database is closed. SIGHUP
  // reads the configuration again.
  void run();
  void stop();  // any thread

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace idem
