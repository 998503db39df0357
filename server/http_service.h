#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "query/session.h"
#include "server/client_stream.h"
#include "server/http_message.h"
#include "server/http_query.h"
#include "server/protocol_handler.h"

namespace idem {

// What the paths of the HTTP port do (docs/http.md).
//
// One object per connection, which keeps the session of the user that it served last. One thread at a time; waits for disk.
class HttpService {
 public:
  HttpService(ServerContext& server, const ProtocolOptions& options, const ClientStream& client);
  ~HttpService();

  // Every error is an answer. Throws ConnectionClosed only.
  HttpAnswer answer(HttpRequest& request, HttpChannel& channel);
  // Of the session that runs, if one does; any thread.
  void cancel();
  // As ProtocolHandler::idle_limit_ms().
  int64_t idle_limit_ms() const;

 private:
  struct Route;

  HttpAnswer health() const;
  HttpAnswer write_lines(const HttpRequest& request, HttpChannel& channel);
  HttpAnswer query(const HttpRequest& request, HttpChannel& channel, HttpQuery::Format format);
  HttpAnswer metrics(const HttpRequest& request);
  const std::string& authenticate(const HttpRequest& request);  // the user: 28000, 28P01, 42501
  Session& session_for(const HttpRequest& request);             // and 53300
  void end_session();

  ServerContext& server_;
  const ProtocolOptions& options_;
  const ClientStream& client_;
  const std::string client_address_;
  std::mutex mutex_;  // guards session_ against cancel()
  std::unique_ptr<Session> session_;
  std::optional<std::string> authorization_;  // of the request before, and
  std::string user_;                          // whose it was
};

}  // namespace idem
