#include "server/query_answer.h"

#include <fmt/format.h>

#include "common/json_text.h"
#include "common/utf8.h"
#include "query/portal.h"

namespace idem {

namespace {

// Member ,"name":"value", if there is a value.
void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(",\"").append(name).append("\":");
  append_json_string(out, value);
}

void append_notices(std::string& out, const std::vector<Notice>& notices) {
  if (notices.empty()) return;
  out += ",\"notices\":[";
  for (const Notice& notice : notices) {
    out += &notice == &notices.front() ? "{\"severity\":" : ",{\"severity\":";
    append_json_string(out, notice.severity);
    append_member(out, "sqlstate", notice.content.sqlstate());
    append_member(out, "message", notice.content.message());
    append_member(out, "detail", notice.content.detail());
    append_member(out, "hint", notice.content.hint());
    out += '}';
  }
  out += ']';
}

void append_plan(std::string& out, const std::vector<std::string>& lines) {
  out += ",\"explain\":[";
  for (const std::string& line : lines) {
    if (&line != &lines.front()) out += ',';
    append_json_string(out, line);
  }
  out += ']';
}

// "INSERT 0 3" counts rows, "CREATE TABLE" does not.
std::optional<std::string_view> rows_of_tag(std::string_view tag) {
  const size_t space = tag.rfind(' ');
  if (space == tag.npos || tag.find_first_not_of("0123456789", space + 1) != tag.npos) return std::nullopt;
  return tag.substr(space + 1);
}

class JsonAnswer final : public QueryAnswer {
 public:
  JsonAnswer(HttpChannel& channel, JsonAnswerOptions options)
      : options_(std::move(options)), body_(channel, "application/json; charset=utf-8") {}

  void begin_rows(const std::vector<PlanColumn>& columns) override {
    std::string& out = body_.bytes();
    begin_object();
    if (options_.has_metadata) {
      out += "\"columns\":";
      JsonRows::append_columns(columns, out);
      out += ',';
    }
    out += "\"dataset\":[";
    rows_.emplace(columns, options_.quotes_large_numbers);
  }

  void rows(const DataChunk& chunk, uint32_t first, uint32_t count) override {
    rows_->append(chunk, first, count, body_.bytes());
    body_.flush_if_large();
  }

  HttpAnswer finish(const QueryOutcome& outcome) override {
    std::string& out = body_.bytes();
    if (outcome.has_rows) {
      out += fmt::format("],\"count\":{}", outcome.rows_read);
    } else {
      begin_object();
      const auto rows = rows_of_tag(outcome.tag);
      out += rows ? "\"dml\":\"OK\",\"tag\":" : "\"ddl\":\"OK\",\"tag\":";
      append_json_string(out, outcome.tag);
      if (rows) out.append(",\"updated\":").append(*rows);
    }
    if (outcome.written) {
      const WriteCounts& w = *outcome.written;
      out += fmt::format(",\"written\":{{\"inserted\":{},\"replaced\":{},\"skipped\":{},\"deleted\":{}}}",
                         w.inserted, w.replaced, w.skipped, w.deleted);
    }
    append_notices(out, outcome.notices);
    if (outcome.plan) append_plan(out, *outcome.plan);
    if (outcome.timings_micros)
      out += fmt::format(",\"timings\":{{\"compile_us\":{},\"execute_us\":{}}}",
                         outcome.timings_micros->first, outcome.timings_micros->second);
    out += "}\n";
    return body_.finish();
  }

  HttpAnswer fail(const SqlError& error, uint64_t rows_read) override {
    if (!body_.is_begun()) return json_error_answer(error, options_.query);
    body_.bytes() +=
        fmt::format("],\"count\":{},{}}}\n", rows_read, json_error_members(error, options_.query));
    return body_.finish();
  }

 private:
  void begin_object() {
    std::string& out = body_.bytes();
    out += '{';
    if (!options_.has_metadata) return;
    out += "\"query\":";
    append_json_string(out, options_.query);
    out += ',';
  }

  const JsonAnswerOptions options_;
  HttpAnswerBody body_;
  std::optional<JsonRows> rows_;
};

class CsvAnswer final : public QueryAnswer {
 public:
  CsvAnswer(HttpChannel& channel, CsvAnswerOptions options)
      : options_(std::move(options)), body_(channel, "text/csv; charset=utf-8") {}

  void begin_rows(const std::vector<PlanColumn>& columns) override {
    CopyFormat format;
    format.kind = CopyFormat::Kind::kCsv;
    format.delimiter = options_.delimiter;
    format.null.clear();
    if (options_.has_header) format.header = CopyFormat::Header::kSkip;
    writer_.emplace(format, columns, TextOptions());
    writer_->begin(body_.bytes());
  }

  void rows(const DataChunk& chunk, uint32_t first, uint32_t count) override {
    row_ends_.clear();
    writer_->write(narrow(chunk, first, count), body_.bytes(), &row_ends_);
    body_.flush_if_large();
  }

  HttpAnswer finish(const QueryOutcome& outcome) override {
    if (!outcome.has_rows) body_.bytes().append(outcome.tag) += '\n';
    return body_.finish();
  }

  HttpAnswer fail(const SqlError& error, uint64_t) override {
    return body_.is_begun() ? body_.cut() : json_error_answer(error, options_.query);
  }

 private:
  const CsvAnswerOptions options_;
  HttpAnswerBody body_;
  std::optional<CopyWriter> writer_;
  std::vector<uint32_t> row_ends_;
};

}  // namespace

std::unique_ptr<QueryAnswer> make_json_answer(HttpChannel& channel, JsonAnswerOptions options) {
  return std::make_unique<JsonAnswer>(channel, std::move(options));
}

std::unique_ptr<QueryAnswer> make_csv_answer(HttpChannel& channel, CsvAnswerOptions options) {
  return std::make_unique<CsvAnswer>(channel, std::move(options));
}

std::string json_error_members(const SqlError& error, std::string_view query) {
  std::string out = "\"error\":";
  append_json_string(out, error.message());
  append_member(out, "sqlstate", error.sqlstate());
  if (error.position() && *error.position() <= query.size() + 1)
    out += fmt::format(",\"position\":{}", utf8_length(query.substr(0, *error.position() - 1)) + 1);
  append_member(out, "detail", error.detail());
  append_member(out, "hint", error.hint());
  append_member(out, "context", error.context());
  return out;
}

HttpAnswer json_error_answer(const SqlError& error, std::string_view query) {
  HttpAnswer answer;
  answer.status = http_status_of(error);
  answer.content_type = "application/json; charset=utf-8";
  answer.body = fmt::format("{{\"query\":{},{}}}\n", json_quoted(query), json_error_members(error, query));
  return answer;
}

}  // namespace idem
