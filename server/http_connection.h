#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/error.h"
#include "server/client_stream.h"
#include "server/connection.h"
#include "server/http_request_parser.h"
#include "server/http_service.h"
#include "server/served_connection.h"

namespace idem {

// A client of the HTTP port, with TLS if it begins so. Requests are answered one after the other, each by a statement thread.
//
//   socket ──▶ serve() ──▶ body_ (≤ 256 KiB, then reading pauses) ──▶ read_body() ──▶ HttpService
//   socket ◀── write_loop() ◀── unsent_ (≤ 1 MiB, then send() waits) ◀── begin_answer(), send() ◀──┘
//
// While a request is being answered the client's side is read on, so that its end cancels the statement; what it sends already of the next
// request waits.
class HttpConnection : public std::enable_shared_from_this<HttpConnection>,
                       public ServedConnection,
                       private HttpChannel {
 public:
  HttpConnection(boost::asio::ip::tcp::socket socket, const ConnectionEnvironment& environment);
  ~HttpConnection() override;

  void start() override;
  void shut_down(const SqlError& reason, bool at_once) override;

 private:
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> serve();
  boost::asio::awaitable<bool> read_more();
  boost::asio::awaitable<void> read_or_pause(bool pause);
  boost::asio::awaitable<void> write_loop();
  void begin_request();
  bool take_body();
  bool body_is_full();
  void refuse(const SqlError& error);
  bool is_answered();
  bool end_request();
  void answer(HttpRequest& request);  // on a statement thread
  void client_has_gone();
  void follow_deadline();  // on the strand: sets the one of the state
  void wake_reader();
  void queue(std::string_view bytes);  // to be written; with the lock

  std::string read_body() override;
  void begin_answer(const HttpAnswer& head) override;
  void send(std::string& bytes) override;

  const ConnectionEnvironment& environment_;
  const std::shared_ptr<const ConnectionOptions> options_;
  ClientStream stream_;
  HttpService service_;
  HttpRequestParser requests_;  // of serve()
  boost::asio::steady_timer reader_pause_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable body_came_, sent_;
  enum class State : uint8_t {
    kIdle,  // no request, or not all of its header
    kAnswering,
    kAnswered,  // all of the answer is in unsent_
  };
  State state_ = State::kIdle;
  HttpAnswerForm form_;  // of the answer to this request
  bool ending_ = false;  // after this answer
  bool closed_ = false;  // the client has gone
  std::string body_;     // come and not taken
  bool body_ended_ = false, go_on_is_expected_ = false;
  std::optional<SqlError> body_error_;  // why no more of it can be read
  std::string unsent_;
  bool writing_ = false;
  int64_t idle_limit_ms_ = 0;  // the session's; 0: none
};

}  // namespace idem
