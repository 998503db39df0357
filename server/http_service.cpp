#include "server/http_service.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "common/error.h"
#include "common/json_text.h"
#include "common/scram_verifier.h"
#include "query/server_metrics.h"
#include "server/client_channel.h"
#include "server/console_assets.h"
#include "server/http_import.h"
#include "server/query_answer.h"
#include "server/server_log.h"

namespace idem {

namespace {

constexpr size_t kMaxLinesBytes = 256 << 20;  // held in memory, unpacked

// Nanoseconds of a unit as /write (n, u, ms, s, m, h) and /api/v2/write (ns, us, ms, s) name them.
int64_t parse_precision(const std::string& name) {
  static constexpr std::pair<std::string_view, int64_t> kUnits[] = {{"", 1},
                                                                    {"n", 1},
                                                                    {"ns", 1},
                                                                    {"u", 1'000},
                                                                    {"us", 1'000},
                                                                    {"ms", 1'000'000},
                                                                    {"s", 1'000'000'000},
                                                                    {"m", 60'000'000'000},
                                                                    {"h", 3'600'000'000'000}};
  for (const auto& [unit, nanos] : kUnits) {
    if (name == unit) return nanos;
  }
  throw sql_error(sqlstate::kInvalidParameterValue,
                  "unknown precision \"{}\": ns, us, ms, s, m or h was expected", name);
}

std::string_view code_of(unsigned status) {
  switch (status) {
    case 401: return "unauthorized";
    case 403: return "forbidden";
    case 404: return "not found";
    case 405: return "method not allowed";
    case 413: return "request too large";
    case 503: return "unavailable";
    case 500: return "internal error";
    default: return "invalid";
  }
}

HttpAnswer error_answer(unsigned status, std::string_view message, std::string_view members = "") {
  HttpAnswer answer;
  answer.status = status;
  answer.body = http_error_body(code_of(status), message, members);
  return answer;
}

HttpAnswer line_error_answer(const SqlError& error) {
  return error_answer(http_status_of(error), error.message(),
                      fmt::format("\"sqlstate\":{}", json_quoted(error.sqlstate())));
}

HttpAnswer no_content() {
  HttpAnswer answer;
  answer.status = 204;
  answer.content_type.clear();
  return answer;
}

HttpAnswer lines_answer(const LineWriteResult& result) {
  if (result.rejected == 0) return no_content();
  std::string members = fmt::format("\"accepted\":{},\"rejected\":{},\"line\":{},\"errors\":[",
                                    result.accepted, result.rejected, result.errors[0].line);
  for (size_t i = 0; i < result.errors.size(); ++i)
    members += fmt::format("{}{{\"line\":{},\"reason\":{}}}", i ? "," : "", result.errors[i].line,
                           json_quoted(result.errors[i].reason));
  members += "]";
  return error_answer(400,
                      fmt::format("partial write: line {}: {} dropped={}", result.errors[0].line,
                                  result.errors[0].reason, result.rejected),
                      members);
}

}  // namespace

HttpService::HttpService(ServerContext& server, const ProtocolOptions& options, const ClientStream& client)
    : server_(server), options_(options), client_(client), client_address_(client.client_address()) {}
HttpService::~HttpService() = default;

// A path, its methods, and what answers. `is_query`: errors have the form of /exec.
struct HttpService::Route {
  std::string_view path, methods;
  bool is_query;
  HttpAnswer (*handle)(HttpService& service, const HttpRequest& request, HttpChannel& channel);
};

HttpAnswer HttpService::answer(HttpRequest& request, HttpChannel& channel) {
  using Service = HttpService;
  using Request = const HttpRequest;
  using Channel = HttpChannel;
  constexpr auto console = [](Service&, Request& r, Channel&) { return console_answer(r); };
  static constexpr Route kRoutes[] = {
      {"/exec", "GET, POST", true,
       [](Service& s, Request& r, Channel& c) { return s.query(r, c, HttpQuery::Format::kJson); }},
      {"/exp", "GET, POST", true,
       [](Service& s, Request& r, Channel& c) { return s.query(r, c, HttpQuery::Format::kCsv); }},
      {"/imp", "POST", true,
       [](Service& s, Request& r, Channel& c) { return import_csv(s.session_for(r), r, c); }},
      {"/metrics", "GET, HEAD", false, [](Service& s, Request& r, Channel&) { return s.metrics(r); }},
      {"/write", "POST", false, [](Service& s, Request& r, Channel& c) { return s.write_lines(r, c); }},
      {"/api/v2/write", "POST", false,
       [](Service& s, Request& r, Channel& c) { return s.write_lines(r, c); }},
      {"/ping", "GET, HEAD", false, [](Service&, Request&, Channel&) { return no_content(); }},
      {"/health", "GET, HEAD", false, [](Service& s, Request&, Channel&) { return s.health(); }},
      {"/ready", "GET, HEAD", false, [](Service& s, Request&, Channel&) { return s.health(); }},
      {"/", "GET, HEAD", false, console},
      {"/assets/console.js", "GET, HEAD", false, console},
      {"/assets/console.css", "GET, HEAD", false, console},
      {"/assets/favicon.svg", "GET, HEAD", false, console},
      {"/assets/LICENSES.txt", "GET, HEAD", false, console},
  };
  const Route* route = std::find_if(std::begin(kRoutes), std::end(kRoutes),
                                    [&](const Route& known) { return known.path == request.path; });
  if (route == std::end(kRoutes) && !(request.method == "OPTIONS" && request.path == "*"))
    return error_answer(404, fmt::format("there is nothing at {}", request.path));
  if (request.method == "OPTIONS") {
    HttpAnswer answer = no_content();
    answer.headers.emplace_back("Allow", route == std::end(kRoutes) ? "GET, HEAD, POST" : route->methods);
    return answer;
  }
  if (fmt::format(" {},", route->methods).find(fmt::format(" {},", request.method)) == std::string::npos) {
    HttpAnswer answer = error_answer(405, fmt::format("{} takes {}", route->path, route->methods));
    answer.headers.emplace_back("Allow", route->methods);
    return answer;
  }
  const auto failed = [&](const SqlError& error) {
    server_.metrics.count_error(error.sqlstate());
    if (error.sqlstate() == sqlstate::kInvalidPassword) log_refused_login(client_address_, error);
    HttpAnswer answer = route->is_query ? json_error_answer(error, "") : line_error_answer(error);
    // A page asks for the password itself.
    if (answer.status == 401 && request.header("x-requested-with") != "XMLHttpRequest")
      answer.headers.emplace_back("WWW-Authenticate", "Basic realm=\"idemdb\"");
    return answer;
  };
  try {
    return route->handle(*this, request, channel);
  } catch (const SqlError& error) { return failed(error); } catch (const ConnectionClosed&) {
    throw;
  } catch (const std::bad_alloc&) {
    end_session();
    return failed(SqlError(sqlstate::kOutOfMemory, "out of memory"));
  } catch (const std::exception& error) {
    end_session();
    return failed(SqlError(sqlstate::kInternalError, error.what()));
  }
}

HttpAnswer HttpService::query(const HttpRequest& request, HttpChannel& channel, HttpQuery::Format format) {
  Session& session = session_for(request);
  return run_http_query(session, parse_http_query(request, channel, format), channel, *server_.clock);
}

HttpAnswer HttpService::metrics(const HttpRequest& request) {
  authenticate(request);
  HttpAnswer answer;
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  answer.body = prometheus_text(collect_metrics(server_));
  return answer;
}

HttpAnswer HttpService::health() const {
  const StorageStatus status = server_.database->status();
  HttpAnswer answer;
  answer.status = status.write_failed ? 503 : 200;
  answer.body = fmt::format(
      "{{\"name\":\"idemdb\",\"status\":\"{}\",\"message\":{}}}\n", status.write_failed ? "fail" : "pass",
      json_quoted(status.write_failed ? status.write_failure : "ready for queries and writes"));
  return answer;
}

HttpAnswer HttpService::write_lines(const HttpRequest& request, HttpChannel& channel) {
  Session& session = session_for(request);
  const int64_t unit = parse_precision(request.parameter("precision"));
  const std::string text = read_http_body(request, channel, kMaxLinesBytes);
  session.begin_statement_text("line protocol");
  HttpAnswer answer;
  try {
    answer = lines_answer(session.write_lines(text, unit));
  } catch (const SqlError& error) { answer = line_error_answer(error); }
  session.begin_statement_text({});
  return answer;
}

const std::string& HttpService::authenticate(const HttpRequest& request) {
  const auto credentials = http_credentials(request);
  const ClientIdentity client{without_port(client_address_), credentials ? credentials->user : "admin",
                              options_.database, client_.encrypted()};
  const bool trusted =
      authentication_of(options_, client, client_.certificate_name()) != AuthenticationMethod::kScram;
  check_http_origin(request, !trusted);
  const std::string authorization = fmt::format("{}\n{}\n{}", request.header("authorization"),
                                                request.parameter("u"), request.parameter("p"));
  if (authorization == authorization_) return user_;
  if (!credentials && !trusted)
    throw SqlError(sqlstate::kInvalidAuthorization, "user and password are required");
  const std::string& user = client.user;
  const Snapshot snapshot = server_.database->snapshot();
  const auto role = snapshot.catalog->roles.find(user);
  const bool known = role != snapshot.catalog->roles.end() && role->second.can_login;
  if (!trusted) {
    // As slow for a user that does not exist.
    const auto stored = known ? ScramVerifier::from_text(role->second.scram_verifier) : std::nullopt;
    const ScramVerifier verifier = stored ? *stored : ScramVerifier();
    if (!verifier.matches(credentials->password.value_or("")) || !stored)
      throw sql_error(sqlstate::kInvalidPassword, "password authentication failed for user \"{}\"", user);
  } else if (!known) {
    throw sql_error(sqlstate::kInvalidAuthorization, "role \"{}\" does not exist or may not log in", user);
  }
  end_session();
  user_ = user;
  authorization_ = authorization;
  return user_;
}

Session& HttpService::session_for(const HttpRequest& request) {
  const std::string& user = authenticate(request);
  if (session_) return *session_;
  auto session = std::make_unique<Session>(
      server_, user, options_.database, client_address_,
      std::vector<std::pair<std::string, std::string>>{{"application_name", "http"}},
      options_.max_connections);
  std::lock_guard lock(mutex_);
  session_ = std::move(session);
  return *session_;
}

// With it goes a transaction that an unexpected error has left.
void HttpService::end_session() {
  std::lock_guard lock(mutex_);
  session_.reset();
}

int64_t HttpService::idle_limit_ms() const { return session_ ? session_->idle_limit_ms() : 0; }

void HttpService::cancel() {
  std::lock_guard lock(mutex_);
  if (session_) session_->cancel();
}

}  // namespace idem
