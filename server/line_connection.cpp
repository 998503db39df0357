#include "server/line_connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include "query/line_protocol.h"
#include "server/await_statement.h"

namespace idem {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr size_t kReadBytes = 256 * 1024;
constexpr size_t kPieceBytes = 8 << 20;  // stored in one transaction, if so much has come
constexpr size_t kMaxLineBytes = 1 << 20;
constexpr uint64_t kMaxLogged = 100;  // rejected lines of one connection

}  // namespace

LineConnection::LineConnection(tcp::socket socket, const ConnectionEnvironment& environment)
    : environment_(environment),
      options_(environment.options.get()),
      stream_(std::move(socket), options_->keep_alive),
      client_address_(stream_.client_address()) {}

LineConnection::~LineConnection() = default;

void LineConnection::start() {
  asio::co_spawn(
      stream_.executor(), [self = shared_from_this()] { return self->run(); }, asio::detached);
}

asio::awaitable<void> LineConnection::run() {
  std::string pending, buffer(kReadBytes, '\0');
  size_t whole = 0;  // bytes of `pending` that are whole lines
  bool ended = false;
  while (!ended) {
    const ClientStream::Buffers space{asio::buffer(buffer)};
    size_t bytes = 0;
    bool broken = false;
    try {
      bytes = co_await stream_.read_some(space);
    } catch (const boost::system::system_error&) { broken = true; }
    ended = bytes == 0;
    pending.append(buffer, 0, bytes);
    whole += whole_lines(std::string_view(pending).substr(whole));
    if (ended && !broken) whole = pending.size();  // the last line may lack its end
    if (pending.size() - whole > kMaxLineBytes) {
      spdlog::warn("line protocol from {}: a line has more than {} bytes", client_address_, kMaxLineBytes);
      break;
    }
    // What is there already goes into the same transaction.
    boost::system::error_code ignored;
    if (whole == 0 || (!ended && stream_.socket().available(ignored) > 0 && whole < kPieceBytes)) continue;
    std::string lines = pending.substr(0, whole);
    pending.erase(0, whole);
    whole = 0;
    const auto work = [self = shared_from_this(), shared = std::make_shared<const std::string>(
                                                      std::move(lines))] { return self->store(*shared); };
    const bool stored = co_await await_statement(*environment_.statements, stream_.executor(), work);
    if (!stored) break;
  }
  stream_.close();
}

bool LineConnection::store(const std::string& lines) {
  try {
    if (!session_) {
      const ClientIdentity client{without_port(client_address_), "admin", options_->protocol.database, false};
      if (authentication_of(options_->protocol, client, "") != AuthenticationMethod::kTrust)
        throw SqlError(sqlstate::kInvalidAuthorization, "line protocol over TCP knows no passwords");
      std::lock_guard lock(mutex_);
      session_ = std::make_unique<Session>(
          *environment_.server, "admin", options_->protocol.database, client_address_,
          std::vector<std::pair<std::string, std::string>>{{"application_name", "line protocol"}},
          options_->protocol.max_connections);
    }
    session_->begin_statement_text("line protocol");
    const LineWriteResult result = session_->write_lines(lines, 1);
    session_->begin_statement_text("");
    for (const LineWriteResult::Error& error : result.errors) {
      if (++lines_logged_ > kMaxLogged) break;
      spdlog::warn("line protocol from {}: line {} of {} bytes was left out: {}", client_address_, error.line,
                   lines.size(), error.reason);
    }
    return true;
  } catch (const std::exception& error) {
    spdlog::warn("line protocol from {}: the connection is closed: {}", client_address_, error.what());
    return false;
  }
}

void LineConnection::shut_down(const SqlError&, bool at_once) {
  if (at_once) {
    std::lock_guard lock(mutex_);
    if (session_) session_->cancel();
  }
  asio::post(stream_.executor(), [self = shared_from_this()] { self->stream_.cancel(); });
}

}  // namespace idem
