#include "query/portal.h"
#include "query/statement_executors.h"

namespace idem {

namespace {

std::vector<std::string> analyzed_lines(const std::vector<OperatorProfile>& profile, int64_t micros) {
  std::vector<std::string> lines;
  for (const OperatorProfile& p : profile) {
    std::string line = fmt::format("{}{}{} (actual time={:.3f} ms rows={}", std::string(static_cast<size_t>(p.depth) * 2, ' '),
                                   p.depth > 0 ? "->  " : "", p.text, static_cast<double>(p.micros) / 1000, p.rows);
    if (p.vectors_read + p.vectors_skipped > 0) line += fmt::format(" vectors={} skipped={}", p.vectors_read, p.vectors_skipped);
    if (p.memory_bytes > 0) line += fmt::format(" memory={} kB", (p.memory_bytes + 1023) / 1024);
    lines.push_back(line + ")");
  }
  lines.push_back(fmt::format("Execution Time: {:.3f} ms", static_cast<double>(micros) / 1000));
  return lines;
}

}  // namespace

std::vector<PlanColumn> explain_columns(const ast::ExplainStatement&) { return TextRows({"QUERY PLAN"}).columns(); }

std::unique_ptr<Portal> execute_explain(SessionState& session, const ast::ExplainStatement& s, const StatementInput& input) {
  for (const ast::Option& option : s.options) {
    if (option.name == "format" && option.value != "text") {
      throw sql_error(sqlstate::kFeatureNotSupported, "EXPLAIN (FORMAT {}) is not supported", option.value).with_position(option.position);
    }
  }
  if (s.statement->kind != ast::StatementKind::kQuery) {
    throw SqlError(sqlstate::kFeatureNotSupported, "EXPLAIN of other statements than queries is not supported").with_position(s.position);
  }
  session.begin_statement();
  ParameterTypes types = input.parameter_types;
  auto query = std::make_shared<BoundQuery>(bind_query(*ast::as<ast::QueryStatement>(*s.statement).query, session, types));
  auto run = session.start_run();
  bool analyze = s.analyze, verbose = s.verbose;
  return std::make_unique<RowsPortal>(explain_columns(s), [&session, query, run, analyze, verbose, parameters = input.parameters] {
    std::vector<std::string> lines;
    if (analyze) {
      int64_t start = session.server.clock->monotonic_nanos();
      std::vector<OperatorProfile> profile;
      {
        auto stream = execute(*query, StatementRun::share_context(run), parameters, &profile);
        DataChunk chunk;
        while (stream->next(&chunk)) {
        }
      }
      lines = analyzed_lines(profile, (session.server.clock->monotonic_nanos() - start) / 1000);
    } else {
      lines = explain_lines(*query->plan, verbose);
    }
    TextRows text({"QUERY PLAN"});
    for (const std::string& line : lines) text.add({line});
    return text.finish("EXPLAIN");
  });
}

}  // namespace idem
