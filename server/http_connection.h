#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <mutex>

#include "server/client_stream.h"
#include "server/connection.h"
#include "server/http_service.h"
#include "server/served_connection.h"

namespace idem {

// A client of the HTTP port, with TLS if it begins so. Requests are answered one after the other by a statement thread; the network thread
// reads and writes.
class HttpConnection : public std::enable_shared_from_this<HttpConnection>, public ServedConnection {
 public:
  HttpConnection(boost::asio::ip::tcp::socket socket, const ConnectionEnvironment& environment);
  ~HttpConnection() override;

  void start() override;
  void shut_down(const SqlError& reason) override;

 private:
  class Requests;

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> serve();
  boost::asio::awaitable<HttpAnswer> answer(std::shared_ptr<HttpRequest> request);

  const ConnectionEnvironment& environment_;
  ClientStream stream_;
  HttpService service_;
  std::mutex mutex_;            // guards what follows
  bool answering_ = false, ending_ = false;
};

}  // namespace idem
