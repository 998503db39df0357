#include <algorithm>
#include <array>
#include <utility>

#include "common/value_text.h"
#include "query/kept_plan.h"
#include "query/portal.h"
#include "query/session_state.h"
#include "query/statement_executors.h"
#include "query/table_union.h"

namespace idem {

StatementRun::StatementRun(MemoryBudget* server_memory, uint64_t limit)
    : memory("query", limit, server_memory) {}

uint64_t SessionState::query_memory_limit() const {
  const uint64_t most =
      server.query_memory_limit > 0 ? server.query_memory_limit : server.memory->limit() / 2;
  const uint64_t own = followed_.query_memory_limit;
  return own > 0 ? std::min(most, own) : most;
}

std::shared_ptr<StatementRun> SessionState::start_run() {
  follow_settings();
  auto run = std::make_shared<StatementRun>(server.memory, query_memory_limit());
  run->snapshot = view_;
  run->context.snapshot = &run->snapshot;
  run->context.session = this;
  run->context.server = &server;
  run->context.workers = server.workers;
  run->context.worker_count = server.worker_count;
  run->context.cancel = &cancel;
  run->context.memory = &run->memory;
  run->context.profile = profile;
  run->context.transaction_time_micros = transaction_time_micros;
  run->context.statement_time_micros = statement_time_micros;
  run->context.time_zone = zone;
  return run;
}

namespace {

// regclass and its like are shown by name, which only evaluation can look up: they leave the plan as text.
void show_names(PlanPtr& plan) {
  bool any = std::any_of(plan->columns.begin(), plan->columns.end(), [](const PlanColumn& c) {
    return is_oid_like(c.type.id) && c.type.id != TypeId::kOid;
  });
  if (!any) return;
  auto project = std::make_shared<LogicalPlan>();
  project->kind = PlanKind::kProject;
  project->columns = plan->columns;
  for (uint32_t i = 0; i < plan->columns.size(); i++) {
    SqlType type = plan->columns[i].type;
    BoundPtr value = BoundExpression::column(i, type);
    if (is_oid_like(type.id) && type.id != TypeId::kOid) {
      ResolvedCall cast{find_cast(type, TypeId::kText, CastContext::kExplicit), {{type}, TypeId::kText}};
      std::vector<BoundPtr> arguments;
      arguments.push_back(std::move(value));
      value = BoundExpression::call(cast, std::move(arguments));
      project->columns[i].type = TypeId::kText;
    }
    project->expressions.push_back(std::move(value));
  }
  project->children.push_back(std::move(plan));
  plan = std::move(project);
}

}  // namespace

std::unique_ptr<Portal> SessionState::portal_of(std::shared_ptr<const BoundQuery> query,
                                                const std::vector<Value>& parameters) {
  std::vector<PlanColumn> columns = query->plan->columns;
  auto start = [run = start_run(), query = std::move(query), parameters] {
    return execute(*query, StatementRun::share_context(run), parameters);
  };
  return std::make_unique<QueryPortal>(std::move(columns), std::move(start));
}

std::unique_ptr<Portal> SessionState::make_query_portal(BoundQuery query,
                                                        const std::vector<Value>& parameters) {
  show_names(query.plan);
  return portal_of(std::make_shared<const BoundQuery>(std::move(query)), parameters);
}

std::unique_ptr<Portal> SessionState::make_query_portal(const ast::Query& query, StatementInput input) {
  begin_statement();
  PreparedEntry* entry = input.entry.get();
  if (entry && entry->plan && entry->plan->fits(view_, settings.generation()))
    return portal_of(entry->plan->query(), input.parameters);
  if (!entry || !entry->plans_for_any_values) input.parameter_types.values = input.parameters;
  BoundQuery bound = bind_query(query, *this, input.parameter_types);
  if (entry && bound.gains_nothing_by_values) entry->plans_for_any_values = true;
  return portal_of(keep_plan(std::move(bound), entry), input.parameters);
}

// `entry`: null where nothing is executed again.
std::shared_ptr<const BoundQuery> SessionState::keep_plan(BoundQuery query, PreparedEntry* entry) {
  show_names(query.plan);
  if (!entry || query.is_for_once) return std::make_shared<const BoundQuery>(std::move(query));
  entry->plan = std::make_shared<const KeptPlan>(std::move(query), view_.catalog, settings.generation());
  return entry->plan->query();
}

std::shared_ptr<const UnionShape> SessionState::find_kept_view(const ViewSchema& view) const {
  return kept_views_->find(view.id, view_.catalog, settings.generation());
}

void SessionState::keep_view(const ViewSchema& view, std::shared_ptr<const UnionShape> shape) const {
  kept_views_->keep(view.id, std::move(shape));
}

std::shared_ptr<PreparedEntry> SessionState::prepare(const parser::ParsedStatement& parsed,
                                                     std::shared_ptr<const parser::ParsedStatement> shared,
                                                     std::string name, std::string text,
                                                     std::vector<SqlType> types) {
  auto entry = std::make_shared<PreparedEntry>();
  entry->info.name = std::move(name);
  entry->info.text = std::move(text);
  entry->info.statement = std::move(shared);
  if (!parsed.statement) return entry;
  ParameterTypes parameters{std::move(types)};
  if (parameters.types.size() < parsed.parameter_count)
    parameters.types.resize(parsed.parameter_count, TypeId::kUnknown);
  describe(*parsed.statement, parameters, entry.get());
  for (SqlType& type : parameters.types) {
    if (type.id == TypeId::kUnknown) type = TypeId::kText;
  }
  entry->info.parameter_types = std::move(parameters.types);
  return entry;
}

const std::shared_ptr<PreparedEntry>& SessionState::find_prepared(const std::string& name) const {
  auto it = prepared.find(name);
  if (it == prepared.end()) {
    if (name.empty())
      throw SqlError(sqlstate::kInvalidSqlStatementName, "unnamed prepared statement does not exist");
    throw sql_error(sqlstate::kInvalidSqlStatementName, "prepared statement \"{}\" does not exist", name);
  }
  return it->second;
}

std::vector<Value> SessionState::decode_parameters(const std::vector<SqlType>& types,
                                                   const std::vector<RawParameter>& raw) const {
  if (types.size() != raw.size()) {
    throw sql_error(sqlstate::kProtocolViolation,
                    "bind message supplies {} parameters, but prepared statement requires {}", raw.size(),
                    types.size());
  }
  TextOptions options;
  options.zone = zone.get();
  options.ignore_zone_suffix = true;
  options.now_micros = transaction_time_micros;
  std::vector<Value> values;
  values.reserve(raw.size());
  std::array<char, 256> most_texts;
  StringArena arena{most_texts};
  for (size_t i = 0; i < raw.size(); i++) {
    if (!raw[i].bytes) values.push_back(Value::null(types[i]));
    else values.push_back(decode_value(types[i], *raw[i].bytes, raw[i].format == 1, options, arena));
  }
  return values;
}

}  // namespace idem
