#include "query/explain.h"
#include "query/portal.h"
#include "query/statement_executors.h"

namespace idem {

namespace {

// While it lives, the session's executions count their work.
class ProfiledSession {
 public:
  ProfiledSession(SessionState& session, QueryProfile& profile) : session_(session) {
    session.profile = &profile;
  }
  ~ProfiledSession() { session_.profile = nullptr; }
  ProfiledSession(const ProfiledSession&) = delete;
  ProfiledSession& operator=(const ProfiledSession&) = delete;

 private:
  SessionState& session_;
};

std::string time_line(std::string_view what, int64_t nanos) {
  return fmt::format("{} Time: {:.3f} ms", what, static_cast<double>(nanos) / 1e6);
}

void read_all(ResultStream& stream) {
  DataChunk chunk;
  while (stream.next(&chunk)) {}
}

void run_all(Portal& portal) {
  if (portal.kind() == Portal::Kind::kCommand) return portal.run();
  DataChunk chunk;
  while (portal.next(&chunk, 0)) {}
}

// EXPLAIN of one statement: bound when it comes, run (if at all) with the portal.
struct Explained {
  std::shared_ptr<const BoundQuery> query;  // of a query
  ExplainedWrite write;                     // of a statement that writes
  std::shared_ptr<Portal> portal;           // which runs it
  std::shared_ptr<StatementRun> run;        // of a query
  std::vector<Value> parameters;
  int64_t planning_nanos = 0;
};

std::vector<std::string> lines_of(const Explained& explained, bool verbose, const QueryProfile* profile) {
  return explained.query ? explain_lines(*explained.query, verbose, profile)
                         : explain_lines(explained.write, verbose, profile);
}

std::vector<std::string> analyze(SessionState& session, const Explained& explained, bool verbose) {
  QueryProfile profile;
  const int64_t start = session.server.clock->monotonic_nanos();
  {
    ProfiledSession profiled(session, profile);
    if (explained.query) {
      explained.run->context.profile = &profile;
      read_all(*execute(*explained.query, StatementRun::share_context(explained.run), explained.parameters));
      explained.run->context.profile = nullptr;
    } else {
      run_all(*explained.portal);
    }
  }
  const int64_t end = session.server.clock->monotonic_nanos();
  std::vector<std::string> lines = lines_of(explained, verbose, &profile);
  lines.push_back(time_line("Planning", explained.planning_nanos));
  lines.push_back(time_line("Execution", end - start));
  return lines;
}

Explained bind_explained(SessionState& session, const ast::ExplainStatement& s, const StatementInput& input) {
  Explained explained;
  explained.parameters = input.parameters;
  StatementInput inner = input;
  inner.statement = s.statement.get();
  inner.entry = nullptr;
  switch (s.statement->kind) {
    case ast::StatementKind::kQuery: {
      session.begin_statement();
      ParameterTypes types = input.parameter_types;
      explained.query = std::make_shared<BoundQuery>(
          bind_query(*ast::as<ast::QueryStatement>(*s.statement).query, session, types));
      explained.run = session.start_run();
      break;
    }
    case ast::StatementKind::kInsert:
      explained.portal = execute_insert(session, ast::as<ast::InsertStatement>(*s.statement),
                                        std::move(inner), &explained.write);
      break;
    case ast::StatementKind::kUpdate:
      explained.portal = execute_update(session, ast::as<ast::UpdateStatement>(*s.statement),
                                        std::move(inner), &explained.write);
      break;
    case ast::StatementKind::kDelete:
      explained.portal = execute_delete(session, ast::as<ast::DeleteStatement>(*s.statement),
                                        std::move(inner), &explained.write);
      break;
    case ast::StatementKind::kMerge:
      explained.portal = execute_merge(session, ast::as<ast::MergeStatement>(*s.statement),
                                       std::move(inner), &explained.write);
      break;
    default:
      throw SqlError(sqlstate::kFeatureNotSupported,
                     "EXPLAIN of statements other than SELECT, INSERT, UPDATE, DELETE and MERGE is not supported")
          .with_position(s.position);
  }
  return explained;
}

}  // namespace

std::vector<PlanColumn> explain_columns(const ast::ExplainStatement&) {
  return TextRows({"QUERY PLAN"}).columns();
}

std::unique_ptr<Portal> execute_explain(SessionState& session, const ast::ExplainStatement& s,
                                        const StatementInput& input) {
  for (const ast::Option& option : s.options) {
    if (option.name == "format" && option.value != "text") {
      throw sql_error(sqlstate::kFeatureNotSupported, "EXPLAIN (FORMAT {}) is not supported", option.value)
          .with_position(option.position);
    }
  }
  const int64_t start = session.server.clock->monotonic_nanos();
  auto explained = std::make_shared<Explained>(bind_explained(session, s, input));
  explained->planning_nanos = session.server.clock->monotonic_nanos() - start;
  const bool analyzed = s.analyze, verbose = s.verbose;
  return std::make_unique<RowsPortal>(
      explain_columns(s), [&session, explained, analyzed, verbose, keep = input.entry] {
        const std::vector<std::string> lines =
            analyzed ? analyze(session, *explained, verbose) : lines_of(*explained, verbose, nullptr);
        TextRows text({"QUERY PLAN"});
        for (const std::string& line : lines) text.add({line});
        return text.finish("EXPLAIN");
      });
}

}  // namespace idem
