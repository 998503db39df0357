#include "server/http_service.h"

#include <fmt/format.h>

#include "common/error.h"
#include "common/json_text.h"
#include "common/scram_verifier.h"

namespace idem {

namespace {

// Nanoseconds of a unit as /write (n, u, ms, s, m, h) and /api/v2/write (ns, us, ms, s) name them.
int64_t parse_precision(const std::string& name) {
  static constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"", 1},        {"n", 1},           {"ns", 1},           {"u", 1'000},          {"us", 1'000},
      {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};
  for (const auto& [unit, nanos] : kUnits) {
    if (name == unit) return nanos;
  }
  throw sql_error(sqlstate::kInvalidParameterValue, "unknown precision \"{}\": ns, us, ms, s, m or h was expected", name);
}

// Senders try again after 5xx, and drop what is answered by 4xx.
unsigned status_of(const SqlError& error) {
  const std::string_view state = error.sqlstate();
  if (state == sqlstate::kInvalidAuthorization || state == sqlstate::kInvalidPassword) return 401;
  if (state == sqlstate::kInsufficientPrivilege || state == sqlstate::kReadOnlySqlTransaction) return 403;
  if (state == sqlstate::kProgramLimitExceeded) return 413;
  const std::string_view kind = state.substr(0, 2);
  if (kind == "53" || kind == "57" || kind == "40" || kind == "58") return 503;
  return kind == "XX" ? 500 : 400;
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
  if (status == 401) answer.authenticate = "Basic realm=\"idemdb\"";
  return answer;
}

HttpAnswer lines_answer(const LineWriteResult& result) {
  if (result.rejected == 0) return {204, "", "", ""};
  std::string members = fmt::format("\"accepted\":{},\"rejected\":{},\"line\":{},\"errors\":[", result.accepted, result.rejected,
                                    result.errors[0].line);
  for (size_t i = 0; i < result.errors.size(); ++i)
    members += fmt::format("{}{{\"line\":{},\"reason\":{}}}", i ? "," : "", result.errors[i].line, json_quoted(result.errors[i].reason));
  members += "]";
  return error_answer(400, fmt::format("partial write: line {}: {} dropped={}", result.errors[0].line, result.errors[0].reason, result.rejected),
                      members);
}

}  // namespace

HttpService::HttpService(ServerContext& server, const ProtocolOptions& options, std::string client_address)
    : server_(server), options_(options), client_address_(std::move(client_address)) {}
HttpService::~HttpService() = default;

HttpAnswer HttpService::answer(HttpRequest request) {
  try {
    return route(request);
  } catch (const SqlError& error) {
    return error_answer(status_of(error), error.message(), fmt::format("\"sqlstate\":{}", json_quoted(error.sqlstate())));
  } catch (const std::bad_alloc&) {
    return error_answer(503, "out of memory");
  } catch (const std::exception& error) {
    return error_answer(500, error.what());
  }
}

HttpAnswer HttpService::route(HttpRequest& request) {
  struct Route {
    std::string_view path, methods;
    HttpAnswer (*handle)(HttpService&, HttpRequest&);
  };
  static constexpr Route kRoutes[] = {
      {"/ping", "GET HEAD", [](HttpService&, HttpRequest&) { return HttpAnswer{204, "", "", ""}; }},
      {"/health", "GET HEAD", [](HttpService& s, HttpRequest&) { return s.health(); }},
      {"/ready", "GET HEAD", [](HttpService& s, HttpRequest&) { return s.health(); }},
      {"/write", "POST", [](HttpService& s, HttpRequest& r) { return s.write_lines(r); }},
      {"/api/v2/write", "POST", [](HttpService& s, HttpRequest& r) { return s.write_lines(r); }},
  };
  for (const Route& known : kRoutes) {
    if (request.path != known.path) continue;
    if (request.method.empty() || known.methods.find(request.method) == known.methods.npos)
      return error_answer(405, fmt::format("{} takes {}", known.path, known.methods));
    return known.handle(*this, request);
  }
  return error_answer(404, fmt::format("there is nothing at {}", request.path));
}

HttpAnswer HttpService::health() const {
  const StorageStatus status = server_.database->status();
  HttpAnswer answer;
  answer.status = status.write_failed ? 503 : 200;
  answer.body = fmt::format("{{\"name\":\"idemdb\",\"status\":\"{}\",\"message\":{}}}\n", status.write_failed ? "fail" : "pass",
                            json_quoted(status.write_failed ? status.write_failure : "ready for queries and writes"));
  return answer;
}

HttpAnswer HttpService::write_lines(HttpRequest& request) {
  Session& session = session_for(request);
  const int64_t unit = parse_precision(request.parameter("precision"));
  const std::string text = decode_http_body(request, kMaxHttpBodyBytes);
  session.begin_statement_text("line protocol");
  const LineWriteResult result = session.write_lines(text, unit);
  session.begin_statement_text("");
  return lines_answer(result);
}

Session& HttpService::session_for(const HttpRequest& request) {
  const auto credentials = http_credentials(request);
  const std::string authorization = fmt::format("{}\n{}\n{}", request.authorization, request.parameter("u"), request.parameter("p"));
  if (session_ && authorization == session_authorization_) return *session_;
  const bool trusted = options_.authentication == AuthenticationMethod::kTrust;
  if (!credentials && !trusted) throw SqlError(sqlstate::kInvalidAuthorization, "user and password are required");
  const std::string user = credentials ? credentials->user : "admin";
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
  if (server_.sessions->count() >= options_.max_connections) throw SqlError(sqlstate::kTooManyConnections, "sorry, too many clients already");
  auto session = std::make_unique<Session>(server_, user, options_.database, client_address_,
                                           std::vector<std::pair<std::string, std::string>>{{"application_name", "http"}});
  std::lock_guard lock(mutex_);
  session_ = std::move(session);
  session_authorization_ = authorization;
  return *session_;
}

void HttpService::cancel() {
  std::lock_guard lock(mutex_);
  if (session_) session_->cancel();
}

}  // namespace idem
