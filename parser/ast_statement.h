#pragma once

#include "parser/ast_query.h"

namespace idem::ast {

enum class StatementKind : uint8_t {
  // ast_statement.h
  kQuery,
  kInsert,
  kUpdate,
  kDelete,
  kMerge,
  kCopy,
  kUnsupported,
  // ast_ddl.h
  kCreateTable,
  kCreateView,
  kCreateMaterializedView,
  kCreateSchema,
  kCreateRole,
  kCreateChangeSlot,
  kDrop,
  kAlterTable,
  kAlterRole,
  kAlterSystem,
  kAlterSchema,
  kAlterDefaultPrivileges,
  kTruncate,
  kRestoreTable,
  kUndrop,
  kRefreshMaterializedView,
  kAdvanceChangeSlot,
  kForgetRun,
  kGrant,
  kComment,
  kVacuum,
  kAnalyze,
  kCheckpoint,
  kLock,
  // ast_session.h
  kShow,
  kDescribeHistory,
  kSet,
  kReset,
  kSetTransaction,
  kTransaction,
  kDeclareCursor,
  kFetch,
  kCloseCursor,
  kPrepare,
  kExecute,
  kDeallocate,
  kExplain,
  kDiscard,
  kListen,
};

struct Statement {
  const StatementKind kind;
  uint32_t position = 0;

  virtual ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

 protected:
  explicit Statement(StatementKind k) : kind(k) {}
};
using StatementPtr = std::unique_ptr<Statement>;

struct QueryStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kQuery;
  QueryStatement() : Statement(kKind) {}
  QueryPtr query;
};

// column = value, or (a, b) = (query) where several columns take the columns of one Subquery. (a, b) = (1,
// 2) and (a, b) = ROW(1, 2) arrive as two assignments.
struct Assignment {
  std::vector<Identifier> columns;
  Identifier qualifier;  // t of SET t.c = …; empty
  ExpressionPtr value;   // may be a DefaultValue
};

enum class Overwrite : uint8_t {
  kNone,
  kAll,           // INSERT OVERWRITE t query
  kPartitions,    // … PARTITION ('2024-01-15', …) query
  kDynamic,       // … PARTITION DYNAMIC query
  kReplaceWhere,  // INSERT INTO t REPLACE WHERE cond query
};

struct OnConflict {
  bool do_update = false;
  std::vector<Identifier> keys;  // empty: not written
  std::vector<Assignment> assignments;
  ExpressionPtr where;  // of DO UPDATE
  uint32_t position = 0;
};

struct InsertStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kInsert;
  InsertStatement() : Statement(kKind) {}
  std::unique_ptr<With> with;  // written before INSERT; one after the target belongs to `query`
  ObjectName table;
  Identifier alias;
  std::vector<Identifier> columns;
  Overwrite overwrite = Overwrite::kNone;
  std::vector<std::string> partitions;  // kPartitions: names as written
  ExpressionPtr replace_where;          // kReplaceWhere
  QueryPtr query;                       // null: DEFAULT VALUES
  std::unique_ptr<OnConflict> on_conflict;
  std::vector<SelectItem> returning;
};

struct UpdateStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kUpdate;
  UpdateStatement() : Statement(kKind) {}
  std::unique_ptr<With> with;
  ObjectName table;
  bool only = false;
  Identifier alias;
  std::vector<Assignment> assignments;
  std::vector<TableRefPtr> from;
  ExpressionPtr where;
  Identifier current_of;  // WHERE CURRENT OF cursor
  std::vector<SelectItem> returning;
};

struct DeleteStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kDelete;
  DeleteStatement() : Statement(kKind) {}
  std::unique_ptr<With> with;
  ObjectName table;
  bool only = false;
  Identifier alias;
  std::vector<TableRefPtr> using_tables;
  ExpressionPtr where;
  Identifier current_of;
  std::vector<SelectItem> returning;
};

struct MergeClause {
  enum class Match : uint8_t { kMatched, kNotMatchedByTarget, kNotMatchedBySource };
  enum class Action : uint8_t { kUpdate, kUpdateAll, kDelete, kInsert, kInsertAll, kDoNothing };
  Match match = Match::kMatched;
  ExpressionPtr condition;  // may be null
  Action action = Action::kDoNothing;
  std::vector<Assignment> assignments;  // kUpdate
  std::vector<Identifier> columns;      // kInsert; may be empty
  ExpressionList values;                // kInsert; empty: DEFAULT VALUES
  uint32_t position = 0;
};

struct MergeStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kMerge;
  MergeStatement() : Statement(kKind) {}
  std::unique_ptr<With> with;
  ObjectName table;
  Identifier alias;
  TableRefPtr source;
  ExpressionPtr on;
  std::vector<MergeClause> clauses;
  std::vector<SelectItem> returning;
};

// Options of the old syntax (CSV DELIMITER ';' HEADER) arrive as those of the new one. Names: format,
// header, delimiter, null, quote, escape, force_null, force_not_null, force_quote, encoding, freeze,
// overwrite, on_new_column, on_error, reject_limit; others are for the executor to refuse. COPY … PROGRAM
// is refused by the parser (0A000).
struct CopyStatement final : Statement {
  enum class Endpoint : uint8_t { kStdin, kStdout, kFile };
  static constexpr StatementKind kKind = StatementKind::kCopy;
  CopyStatement() : Statement(kKind) {}
  ObjectName table;  // or
  QueryPtr query;    // COPY (query) TO
  std::vector<Identifier> columns;
  bool from = false;
  Endpoint endpoint = Endpoint::kStdin;
  std::string file;  // kFile
  std::vector<Option> options;
  ExpressionPtr where;  // COPY t FROM … WHERE
};

// A statement of PostgreSQL that the dialect does not have: `what` names it, e.g. "CREATE INDEX", "DO". Its
// text after these words was read but not checked. Execution answers 0A000.
struct UnsupportedStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kUnsupported;
  UnsupportedStatement() : Statement(kKind) {}
  std::string what;
  std::string text;  // the rest of the statement, tokens joined by one space
};

}  // namespace idem::ast
