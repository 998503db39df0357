#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "query/session.h"
#include "server/http_message.h"
#include "server/protocol_handler.h"

namespace idem {

// What the paths of the HTTP port do:
//
//   GET  /ping                   204: there is a server
//   GET  /health, /ready         200 or 503: it takes writes
//   POST /write, /api/v2/write   InfluxDB line protocol, plain or gzip; 204 when all lines are durable
//
// One object per connection, which keeps the session of the user that it served last. One thread at a time; waits for disk.
class HttpService {
 public:
  HttpService(ServerContext& server, const ProtocolOptions& options, std::string client_address);
  ~HttpService();

  // Every error is an answer.
  HttpAnswer answer(HttpRequest request);
  // Of the session that runs, if one does; any thread.
  void cancel();

 private:
  HttpAnswer route(HttpRequest& request);
  HttpAnswer write_lines(HttpRequest& request);
  HttpAnswer health() const;
  Session& session_for(const HttpRequest& request);  // 28000, 28P01, 53300

  ServerContext& server_;
  const ProtocolOptions& options_;
  const std::string client_address_;
  std::mutex mutex_;  // guards session_ against cancel()
  std::unique_ptr<Session> session_;
  std::string session_authorization_;  // what it was opened for
};

// Bodies are held in memory: neither as they are sent nor unpacked may they be larger.
inline constexpr size_t kMaxHttpBodyBytes = 256 << 20;

}  // namespace idem
