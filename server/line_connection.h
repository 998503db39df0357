#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <mutex>
#include <string>

#include "query/session.h"
#include "server/client_stream.h"
#include "server/connection.h"
#include "server/served_connection.h"

namespace idem {

// A sender of InfluxDB line protocol over TCP, which gets no answers. What has come is stored piece by piece, one transaction each; while a
// piece is being stored nothing is read, so that a sender is no faster than the disk. Lines that do not fit are left out and logged; when a
// whole piece cannot be stored the connection is closed, and the sender, which cannot know how much was, sends again.
class LineConnection : public std::enable_shared_from_this<LineConnection>, public ServedConnection {
 public:
  LineConnection(boost::asio::ip::tcp::socket socket, const ConnectionEnvironment& environment);
  ~LineConnection() override;

  void start() override;
  void shut_down(const SqlError& reason, bool at_once) override;

 private:
  boost::asio::awaitable<void> run();
  bool store(const std::string& lines);  // on a statement thread; false: it could not

  const ConnectionEnvironment& environment_;
  const std::shared_ptr<const ConnectionOptions> options_;
  ClientStream stream_;
  const std::string client_address_;
  std::mutex mutex_;                  // guards session_ against shut_down()
  std::unique_ptr<Session> session_;  // once lines have come
  uint64_t lines_logged_ = 0;
};

}  // namespace idem
