#include "parser/deparser.h"

namespace idem::parser {

using namespace ast;

bool Deparser::session_statement(const Statement& s) {
  switch (s.kind) {
    case StatementKind::kShow: show(as<ShowStatement>(s)); return true;
    case StatementKind::kDescribeHistory:
      put("DESCRIBE HISTORY ");
      object(as<DescribeHistoryStatement>(s).table);
      if (as<DescribeHistoryStatement>(s).limit) {
        put(" LIMIT " + std::to_string(*as<DescribeHistoryStatement>(s).limit));
      }
      return true;
    case StatementKind::kSet: set(as<SetStatement>(s)); return true;
    case StatementKind::kReset:
      put("RESET ");
      if (as<ResetStatement>(s).all) {
        put("ALL");
      } else {
        setting_name(as<ResetStatement>(s).name);
      }
      return true;
    case StatementKind::kSetTransaction: {
      const auto& change = as<SetTransactionStatement>(s);
      put(change.session ? "SET SESSION CHARACTERISTICS AS TRANSACTION" : "SET TRANSACTION");
      if (change.snapshot) {
        put(" SNAPSHOT ");
        literal(*change.snapshot);
      }
      modes(change.modes);
      return true;
    }
    case StatementKind::kTransaction: transaction(as<TransactionStatement>(s)); return true;
    case StatementKind::kDeclareCursor: declare(as<DeclareCursorStatement>(s)); return true;
    case StatementKind::kFetch: fetch(as<FetchStatement>(s)); return true;
    case StatementKind::kCloseCursor:
      put("CLOSE ");
      if (as<CloseCursorStatement>(s).all) {
        put("ALL");
      } else {
        name(as<CloseCursorStatement>(s).cursor);
      }
      return true;
    case StatementKind::kPrepare: {
      const auto& prepare = as<PrepareStatement>(s);
      put("PREPARE ");
      name(prepare.name);
      if (!prepare.parameter_types.empty()) {
        put(" (");
        list(prepare.parameter_types, [this](const TypeName& t) { type(t); });
        put(")");
      }
      put(" AS ");
      statement(*prepare.statement);
      return true;
    }
    case StatementKind::kExecute:
      put("EXECUTE ");
      name(as<ExecuteStatement>(s).name);
      if (!as<ExecuteStatement>(s).arguments.empty()) {
        put("(");
        expressions(as<ExecuteStatement>(s).arguments);
        put(")");
      }
      return true;
    case StatementKind::kDeallocate:
      put("DEALLOCATE ");
      if (as<DeallocateStatement>(s).all) {
        put("ALL");
      } else {
        name(as<DeallocateStatement>(s).name);
      }
      return true;
    case StatementKind::kExplain: {
      const auto& explain = as<ExplainStatement>(s);
      std::vector<Option> all = explain.options;
      if (explain.analyze) all.push_back({"analyze", Option::ValueKind::kNone, {}, {}, 0});
      if (explain.verbose) all.push_back({"verbose", Option::ValueKind::kNone, {}, {}, 0});
      put("EXPLAIN ");
      if (!all.empty()) {
        options(all, " ");
        put(" ");
      }
      statement(*explain.statement);
      return true;
    }
    case StatementKind::kDiscard: {
      using What = DiscardStatement::What;
      const What what = as<DiscardStatement>(s).what;
      put(what == What::kAll         ? "DISCARD ALL"
          : what == What::kPlans     ? "DISCARD PLANS"
          : what == What::kSequences ? "DISCARD SEQUENCES"
                                     : "DISCARD TEMP");
      return true;
    }
    case StatementKind::kListen: {
      const auto& listen = as<ListenStatement>(s);
      using Action = ListenStatement::Action;
      if (listen.action == Action::kUnlistenAll) {
        put("UNLISTEN *");
        return true;
      }
      put(listen.action == Action::kListen     ? "LISTEN "
          : listen.action == Action::kUnlisten ? "UNLISTEN "
                                               : "NOTIFY ");
      name(listen.channel);
      if (!listen.payload.empty()) {
        put(", ");
        literal(listen.payload);
      }
      return true;
    }
    default: return false;
  }
}

void Deparser::setting_name(const std::string& setting) {
  // No word is empty: then it was one word with dots in it.
  const bool has_empty_part = setting.empty() || setting.front() == '.' || setting.back() == '.' ||
                              setting.find("..") != std::string::npos;
  if (has_empty_part) return word(setting);
  size_t begin = 0;
  for (;;) {
    const size_t dot = setting.find('.', begin);
    if (begin > 0) put(".");
    word(std::string_view(setting).substr(begin, dot == std::string::npos ? dot : dot - begin));
    if (dot == std::string::npos) return;
    begin = dot + 1;
  }
}

void Deparser::show(const ShowStatement& s) {
  using What = ShowStatement::What;
  put("SHOW ");
  switch (s.what) {
    case What::kSetting: return setting_name(s.setting);
    case What::kAll: put("ALL"); return;
    case What::kTables:
      put("TABLES");
      if (!s.object.schema.empty()) {
        put(" FROM ");
        name(s.object.schema);
      }
      return;
    case What::kColumns: put("COLUMNS FROM "); return object(s.object);
    case What::kPartitions: put("PARTITIONS FROM "); return object(s.object);
    case What::kCreateTable: put("CREATE TABLE "); return object(s.object);
    case What::kCreateView: put("CREATE VIEW "); return object(s.object);
    case What::kParameters: put("PARAMETERS"); return;
    case What::kLastWrite: put("LAST WRITE"); return;
  }
}

void Deparser::set(const SetStatement& s) {
  put(s.local ? "SET LOCAL " : "SET ");
  setting_name(s.name);
  put(" = ");
  if (s.to_default) {
    put("DEFAULT");
  } else {
    literals(s.values);
  }
}

void Deparser::modes(const TransactionModes& m) {
  const char* separator = " ";
  const auto mode = [&](std::string_view text) {
    put(separator);
    put(text);
    separator = ", ";
  };
  if (m.isolation) {
    switch (*m.isolation) {
      case IsolationLevel::kReadUncommitted: mode("ISOLATION LEVEL READ UNCOMMITTED"); break;
      case IsolationLevel::kReadCommitted: mode("ISOLATION LEVEL READ COMMITTED"); break;
      case IsolationLevel::kRepeatableRead: mode("ISOLATION LEVEL REPEATABLE READ"); break;
      case IsolationLevel::kSerializable: mode("ISOLATION LEVEL SERIALIZABLE"); break;
    }
  }
  if (m.read_only) mode(*m.read_only ? "READ ONLY" : "READ WRITE");
  if (m.deferrable) mode(*m.deferrable ? "DEFERRABLE" : "NOT DEFERRABLE");
}

void Deparser::transaction(const TransactionStatement& s) {
  using Action = TransactionStatement::Action;
  switch (s.action) {
    case Action::kBegin: put(s.start ? "START TRANSACTION" : "BEGIN"); return modes(s.modes);
    case Action::kBeginRun:
      put("BEGIN RUN ");
      literal(s.run_key);
      if (s.on_replay == TransactionStatement::OnReplay::kRestore) {
        put(s.force ? " ON REPLAY RESTORE FORCE" : " ON REPLAY RESTORE");
      }
      return modes(s.modes);
    case Action::kCommit: put(s.chain ? "COMMIT AND CHAIN" : "COMMIT"); return;
    case Action::kRollback: put(s.chain ? "ROLLBACK AND CHAIN" : "ROLLBACK"); return;
    case Action::kSavepoint: put("SAVEPOINT "); return name(s.savepoint);
    case Action::kRollbackTo: put("ROLLBACK TO SAVEPOINT "); return name(s.savepoint);
    case Action::kRelease: put("RELEASE SAVEPOINT "); return name(s.savepoint);
  }
}

void Deparser::declare(const DeclareCursorStatement& s) {
  put("DECLARE ");
  name(s.name);
  if (s.binary) put(" BINARY");
  if (s.insensitive) put(" INSENSITIVE");
  if (s.asensitive) put(" ASENSITIVE");
  if (s.scroll) put(*s.scroll ? " SCROLL" : " NO SCROLL");
  put(s.hold ? " CURSOR WITH HOLD FOR " : " CURSOR FOR ");
  query(*s.query);
}

void Deparser::fetch(const FetchStatement& s) {
  using Direction = FetchStatement::Direction;
  put(s.move ? "MOVE " : "FETCH ");
  switch (s.direction) {
    case Direction::kForward: put("FORWARD "); break;
    case Direction::kBackward: put("BACKWARD "); break;
    case Direction::kAbsolute: put("ABSOLUTE "); break;
    case Direction::kRelative: put("RELATIVE "); break;
  }
  put(s.all ? "ALL" : std::to_string(s.count));
  put(" FROM ");
  name(s.cursor);
}

}  // namespace idem::parser
