#include "server/http_query.h"

#include <algorithm>

#include "common/clock.h"
#include "common/error.h"
#include "common/json_text.h"
#include "common/utf8.h"
#include "server/client_channel.h"
#include "server/http_parameters.h"
#include "server/query_answer.h"

namespace idem {

namespace {

constexpr size_t kMaxQueryBytes = 16 << 20;

// n, or lo,hi.
void parse_limit(const std::string& value, HttpQuery* query) {
  const size_t comma = value.find(',');
  if (comma != value.npos) query->first_row = parse_http_count("limit", value.substr(0, comma));
  query->end_row = parse_http_count("limit", value.substr(comma == value.npos ? 0 : comma + 1));
  if (query->end_row <= query->first_row) {
    throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"limit\": \"{}\"", value)
        .with_hint("At least one row: n, or lo,hi with lo < hi.");
  }
}

std::vector<std::optional<std::string>> parse_arguments(const std::string& json) {
  validate_json(json);
  if (json_kind(json) != JsonKind::kArray)
    throw SqlError(sqlstate::kInvalidParameterValue, "the parameter \"args\" is not a JSON array");
  std::vector<std::optional<std::string>> arguments;
  for (const std::string_view element : json_elements(json)) arguments.push_back(json_as_text(element));
  return arguments;
}

constexpr HttpParameter<HttpQuery> kParameters[] = {
    {"query", [](HttpQuery& q, const std::string& v) { q.text = v; }},
    {"args", [](HttpQuery& q, const std::string& v) { q.arguments = parse_arguments(v); }},
    {"limit", [](HttpQuery& q, const std::string& v) { parse_limit(v, &q); }},
    {"count", [](HttpQuery& q, const std::string& v) { q.counts_all = parse_http_flag("count", v); }},
    {"nm", [](HttpQuery& q, const std::string& v) { q.has_metadata = !parse_http_flag("nm", v); }},
    {"timings", [](HttpQuery& q, const std::string& v) { q.has_timings = parse_http_flag("timings", v); }},
    {"explain", [](HttpQuery& q, const std::string& v) { q.has_plan = parse_http_flag("explain", v); }},
    {"quoteLargeNum",
     [](HttpQuery& q, const std::string& v) {
       q.quotes_large_numbers = parse_http_flag("quoteLargeNum", v);
     }},
    {"timeout",
     [](HttpQuery& q, const std::string& v) {
       constexpr uint64_t kMost = INT32_MAX;
       q.timeout_ms = static_cast<int64_t>(std::min(parse_http_count("timeout", v), kMost));
     }},
    {"fmt",
     [](HttpQuery& q, const std::string& v) {
       check_http_choice("fmt", v, {"json", "csv"});
       q.format = v == "csv" ? HttpQuery::Format::kCsv : HttpQuery::Format::kJson;
     }},
    {"delimiter",
     [](HttpQuery& q, const std::string& v) { q.delimiter = parse_http_delimiter("delimiter", v); }},
};

// The parameters that the body brings, by its type.
void read_parameters(const HttpRequest& request, HttpChannel& channel,
                     std::map<std::string, std::string>* parameters) {
  const std::string body = read_http_body(request, channel, kMaxQueryBytes);
  if (body.empty()) return;
  const std::string type = request.media_type();
  if (type == "application/json") {
    validate_json(body);
    if (json_kind(body) != JsonKind::kObject)
      throw SqlError(sqlstate::kInvalidParameterValue, "the body is not a JSON object");
    for (const JsonMember& member : json_members(body)) {
      const JsonKind kind = json_kind(member.value);
      if (kind == JsonKind::kNull) continue;
      (*parameters)[member.key] =
          kind == JsonKind::kString ? *json_as_text(member.value) : std::string(member.value);
    }
  } else if (type == "application/x-www-form-urlencoded") {
    if (!parse_http_parameters(body, parameters))
      throw SqlError(sqlstate::kInvalidParameterValue, "the body is not a form");
  } else {
    (*parameters)["query"] = body;
  }
}

bool counts_rows(const WriteCounts& c) { return c.inserted + c.replaced + c.skipped + c.deleted > 0; }

// Runs one query to its answer.
class QueryRun {
 public:
  QueryRun(Session& session, const HttpQuery& query, QueryAnswer& answer, Clock& clock)
      : session_(session), query_(query), answer_(answer), clock_(clock) {}

  HttpAnswer run() {
    session_.begin_statement_text(query_.text, query_.timeout_ms);
    try {
      const HttpAnswer answer = answer_.finish(execute());
      session_.begin_statement_text({});
      return answer;
    } catch (const SqlError& error) { return failed(error); } catch (const std::bad_alloc&) {
      return failed(SqlError(sqlstate::kOutOfMemory, "out of memory"));
    } catch (const ConnectionClosed&) {
      failed(SqlError(sqlstate::kQueryCanceled, "the client has gone"));
      throw;
    }
  }

 private:
  QueryOutcome execute() {
    const auto micros = [this] { return clock_.monotonic_nanos() / 1'000; };
    const int64_t start = micros();
    const uint64_t writes_before = session_.last_write().number;
    make_last_portal();
    if (query_.has_plan && portal_) outcome_.plan = plan_of(last_text_);
    const int64_t compiled = micros();
    if (portal_) run_last(*portal_);
    session_.finish_statements();
    if (portal_ && !outcome_.has_rows)
      outcome_.tag = portal_->tag();  // a statement that lost to others was run again
    outcome_.notices = session_.take_notices();
    const LastWrite write = session_.last_write();
    if (write.number != writes_before && counts_rows(write.counts)) outcome_.written = write.counts;
    if (query_.has_timings) outcome_.timings_micros = {compiled - start, micros() - compiled};
    return std::move(outcome_);
  }

  HttpAnswer failed(const SqlError& error) {
    session_.statement_failed(error);
    session_.take_notices();
    HttpAnswer answer = answer_.fail(error, outcome_.rows_read);
    session_.begin_statement_text({});
    return answer;
  }

  // Runs what is before the last statement.
  void make_last_portal() {
    if (query_.arguments) {
      last_text_ = query_.text;
      session_.prepare("", query_.text, {});
      portal_ = bind_unnamed();
      return;
    }
    statements_ = session_.parse(query_.text);
    for (const parser::ParsedStatement& statement : statements_) {
      if (portal_) run_unseen(*portal_);
      last_text_ = query_.text.substr(statement.offset, statement.length);
      portal_ = session_.execute(statement, query_.text);
    }
  }

  std::unique_ptr<Portal> bind_unnamed() {
    std::vector<RawParameter> parameters;
    for (const std::optional<std::string>& argument : *query_.arguments)
      parameters.push_back({argument ? std::optional<std::string_view>(*argument) : std::nullopt, 0});
    return session_.bind("", parameters);
  }

  std::vector<std::string> plan_of(const std::string& statement) {
    const std::string text = "EXPLAIN " + statement;
    std::vector<parser::ParsedStatement> parsed;
    std::unique_ptr<Portal> portal;
    if (query_.arguments) {
      session_.prepare("", text, {});
      portal = bind_unnamed();
    } else {
      parsed = session_.parse(text);
      portal = session_.execute(parsed.at(0), text);
    }
    std::vector<std::string> lines;
    DataChunk chunk;
    while (portal->next(&chunk, 0)) {
      const Vector column = flatten(chunk.columns[0], chunk.size, chunk.selection, true);
      for (uint32_t i = 0; i < chunk.count(); ++i)
        lines.emplace_back(column.values<std::string_view>()[chunk.selection[i]]);
    }
    return lines;
  }

  void run_unseen(Portal& portal) {
    DataChunk chunk;
    switch (portal.kind()) {
      case Portal::Kind::kRows:
        while (portal.next(&chunk, 0)) {}
        break;
      case Portal::Kind::kCommand: portal.run(); break;
      case Portal::Kind::kEmpty: break;
      case Portal::Kind::kCopyIn:
      case Portal::Kind::kCopyOut:
        throw SqlError(sqlstate::kFeatureNotSupported,
                       "COPY FROM STDIN and COPY TO STDOUT are not supported over HTTP")
            .with_hint("/imp takes files, /exp gives the rows of a query.");
    }
  }

  void run_last(Portal& portal) {
    if (portal.kind() != Portal::Kind::kRows) return run_unseen(portal);
    outcome_.has_rows = true;
    answer_.begin_rows(portal.columns());
    DataChunk chunk;
    uint64_t& read = outcome_.rows_read;
    while (query_.counts_all || read < query_.end_row) {
      const bool is_bounded = !query_.counts_all && query_.end_row != UINT64_MAX;
      if (!portal.next(&chunk, is_bounded ? query_.end_row - read : 0)) break;
      const uint64_t count = chunk.count();
      const uint64_t first = std::min(query_.first_row - std::min(query_.first_row, read), count);
      const uint64_t end = std::min(query_.end_row - std::min(query_.end_row, read), count);
      if (first < end) answer_.rows(chunk, static_cast<uint32_t>(first), static_cast<uint32_t>(end - first));
      read += count;
    }
  }

  Session& session_;
  const HttpQuery& query_;
  QueryAnswer& answer_;
  Clock& clock_;
  std::vector<parser::ParsedStatement> statements_;
  std::unique_ptr<Portal> portal_;  // of the last statement
  std::string last_text_;
  QueryOutcome outcome_;
};

}  // namespace

HttpQuery parse_http_query(const HttpRequest& request, HttpChannel& channel, HttpQuery::Format format) {
  std::map<std::string, std::string> parameters = request.query;
  for (const char* credential : {"u", "p"}) parameters.erase(credential);
  if (request.method == "POST") read_parameters(request, channel, &parameters);
  HttpQuery query;
  query.format = format;
  set_http_parameters<HttpQuery>(parameters, kParameters, &query);
  if (!parameters.contains("query"))
    throw SqlError(sqlstate::kInvalidParameterValue, "the parameter \"query\" is missing");
  check_utf8(query.text);
  return query;
}

HttpAnswer run_http_query(Session& session, const HttpQuery& query, HttpChannel& channel, Clock& clock) {
  const std::unique_ptr<QueryAnswer> answer =
      query.format == HttpQuery::Format::kCsv
          ? make_csv_answer(channel, {query.text, query.delimiter, query.has_metadata})
          : make_json_answer(channel, {query.text, query.has_metadata, query.quotes_large_numbers});
  return QueryRun(session, query, *answer, clock).run();
}

}  // namespace idem
