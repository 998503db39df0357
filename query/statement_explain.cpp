#include "query/explain_format.h"
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
  std::shared_ptr<PreparedEntry> entry;  // of EXECUTE
};

// What EXPLAIN was asked for.
struct ExplainForm {
  bool analyze = false, verbose = false, json = false;
};

RowsPortal::Result show(const Explained& explained, const ExplainForm& form, const QueryProfile* profile,
                        const std::optional<ExplainTimes>& times) {
  const ExplainedNode root = explained.query ? explain(*explained.query, form.verbose, profile)
                                             : explain(explained.write, form.verbose, profile);
  TextRows text({"QUERY PLAN"}, form.json ? TypeId::kJson : TypeId::kText);
  if (form.json) {
    text.add({explain_json(root, times)});
    return text.finish("EXPLAIN");
  }
  for (const std::string& line : explain_lines(root)) text.add({line});
  if (times) {
    text.add({time_line("Planning", times->planning_nanos)});
    text.add({time_line("Execution", times->execution_nanos)});
  }
  return text.finish("EXPLAIN");
}

RowsPortal::Result analyze(SessionState& session, const Explained& explained, const ExplainForm& form) {
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
  return show(explained, form, &profile, ExplainTimes{explained.planning_nanos, end - start});
}

Explained bind_explained(SessionState& session, const ast::Statement& statement, uint32_t position,
                         const StatementInput& input) {
  Explained explained;
  explained.parameters = input.parameters;
  StatementInput inner = input;
  inner.statement = &statement;
  inner.entry = nullptr;
  switch (statement.kind) {
    case ast::StatementKind::kQuery: {
      session.begin_statement();
      ParameterTypes types = input.parameter_types;
      types.values = input.parameters;
      explained.query = std::make_shared<BoundQuery>(
          bind_query(*ast::as<ast::QueryStatement>(statement).query, session, types));
      explained.run = session.start_run();
      break;
    }
    case ast::StatementKind::kInsert:
      explained.portal = execute_insert(session, ast::as<ast::InsertStatement>(statement), std::move(inner),
                                        &explained.write);
      break;
    case ast::StatementKind::kUpdate:
      explained.portal = execute_update(session, ast::as<ast::UpdateStatement>(statement), std::move(inner),
                                        &explained.write);
      break;
    case ast::StatementKind::kDelete:
      explained.portal = execute_delete(session, ast::as<ast::DeleteStatement>(statement), std::move(inner),
                                        &explained.write);
      break;
    case ast::StatementKind::kMerge:
      explained.portal =
          execute_merge(session, ast::as<ast::MergeStatement>(statement), std::move(inner), &explained.write);
      break;
    case ast::StatementKind::kExecute: {
      const StatementInput prepared = prepared_input(session, ast::as<ast::ExecuteStatement>(statement));
      explained = bind_explained(session, *prepared.statement, position, prepared);
      explained.entry = prepared.entry;
      break;
    }
    default:
      throw SqlError(sqlstate::kFeatureNotSupported,
                     "EXPLAIN of statements other than SELECT, INSERT, UPDATE, DELETE, MERGE and EXECUTE is "
                     "not supported")
          .with_position(position);
  }
  return explained;
}

// TEXT or JSON; 0A000 for the other formats of PostgreSQL.
bool wants_json(const ast::ExplainStatement& s) {
  bool json = false;
  for (const ast::Option& option : s.options) {
    if (option.name != "format") continue;
    json = option.value == "json";
    if (json || option.value == "text") continue;
    throw sql_error(sqlstate::kFeatureNotSupported, "EXPLAIN (FORMAT {}) is not supported", option.value)
        .with_position(option.position);
  }
  return json;
}

}  // namespace

std::vector<PlanColumn> explain_columns(const ast::ExplainStatement& s) {
  return TextRows({"QUERY PLAN"}, wants_json(s) ? TypeId::kJson : TypeId::kText).columns();
}

std::unique_ptr<Portal> execute_explain(SessionState& session, const ast::ExplainStatement& s,
                                        const StatementInput& input) {
  const ExplainForm form{s.analyze, s.verbose, wants_json(s)};
  const int64_t start = session.server.clock->monotonic_nanos();
  auto explained = std::make_shared<Explained>(bind_explained(session, *s.statement, s.position, input));
  explained->planning_nanos = session.server.clock->monotonic_nanos() - start;
  return std::make_unique<RowsPortal>(explain_columns(s), [&session, explained, form, keep = input.entry] {
    return form.analyze ? analyze(session, *explained, form) : show(*explained, form, nullptr, std::nullopt);
  });
}

}  // namespace idem
