#pragma once

#include "parser/ast_statement.h"

namespace idem::ast {

struct ShowStatement final : Statement {
  enum class What : uint8_t {
    kSetting,  // SHOW name: `setting`, lower case; TIME ZONE is "timezone", TRANSACTION ISOLATION LEVEL
               // "transaction_isolation", SESSION AUTHORIZATION "session_authorization"
    kAll,
    kTables,       // schema in `object.schema` where FROM|IN was written
    kColumns,      // `object`
    kPartitions,   // `object`
    kCreateTable,  // `object`
    kCreateView,   // `object`, also of a materialized view
    kParameters,
    kLastWrite,
  };
  static constexpr StatementKind kKind = StatementKind::kShow;
  ShowStatement() : Statement(kKind) {}
  What what = What::kSetting;
  std::string setting;
  ObjectName object;
};

struct DescribeHistoryStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kDescribeHistory;
  DescribeHistoryStatement() : Statement(kKind) {}
  ObjectName table;
  std::optional<int64_t> limit;
};

// SET name = value, …; also SET TIME ZONE ("timezone"), SET NAMES ("client_encoding"), SET ROLE ("role"),
// SET SESSION AUTHORIZATION ("session_authorization"), SET SCHEMA ("search_path"), SET run = 'key' ("run").
struct SetStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kSet;
  SetStatement() : Statement(kKind) {}
  std::string name;  // lower case, with its dots
  bool local = false;
  bool to_default = false;
  std::vector<std::string> values;  // as text: words, numbers and strings alike
};

struct ResetStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kReset;
  ResetStatement() : Statement(kKind) {}
  std::string name;
  bool all = false;
};

enum class IsolationLevel : uint8_t { kReadUncommitted, kReadCommitted, kRepeatableRead, kSerializable };

struct TransactionModes {
  std::optional<IsolationLevel> isolation;
  std::optional<bool> read_only;
  std::optional<bool> deferrable;
};

// SET TRANSACTION …; SET SESSION CHARACTERISTICS AS TRANSACTION …
struct SetTransactionStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kSetTransaction;
  SetTransactionStatement() : Statement(kKind) {}
  bool session = false;
  TransactionModes modes;
  std::optional<std::string> snapshot;  // SET TRANSACTION SNAPSHOT 'id'
};

struct TransactionStatement final : Statement {
  enum class Action : uint8_t {
    kBegin,       // modes; `start` where START TRANSACTION was written (its command tag)
    kBeginRun,    // run_key, on_replay, force, modes
    kCommit,      // chain
    kRollback,    // chain
    kSavepoint,   // savepoint
    kRollbackTo,  // savepoint
    kRelease,     // savepoint
  };
  enum class OnReplay : uint8_t { kSkip, kRestore };
  static constexpr StatementKind kKind = StatementKind::kTransaction;
  TransactionStatement() : Statement(kKind) {}
  Action action = Action::kBegin;
  bool start = false;
  bool chain = false;
  TransactionModes modes;
  Identifier savepoint;
  std::string run_key;
  OnReplay on_replay = OnReplay::kSkip;
  bool force = false;  // RESTORE FORCE
};

struct DeclareCursorStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kDeclareCursor;
  DeclareCursorStatement() : Statement(kKind) {}
  Identifier name;
  bool binary = false;
  bool insensitive = false;
  bool asensitive = false;
  std::optional<bool> scroll;  // SCROLL, NO SCROLL
  bool hold = false;
  QueryPtr query;
};

// FETCH and MOVE. Directions are reduced to four with a signed count: NEXT is forward 1, PRIOR is backward
// 1, FIRST is absolute 1, LAST is absolute -1, ALL is `all`.
struct FetchStatement final : Statement {
  enum class Direction : uint8_t { kForward, kBackward, kAbsolute, kRelative };
  static constexpr StatementKind kKind = StatementKind::kFetch;
  FetchStatement() : Statement(kKind) {}
  bool move = false;
  Direction direction = Direction::kForward;
  int64_t count = 1;
  bool all = false;
  Identifier cursor;
};

struct CloseCursorStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kCloseCursor;
  CloseCursorStatement() : Statement(kKind) {}
  Identifier cursor;
  bool all = false;
};

struct PrepareStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kPrepare;
  PrepareStatement() : Statement(kKind) {}
  Identifier name;
  std::vector<TypeName> parameter_types;
  StatementPtr statement;
  uint32_t parameter_count = 0;  // highest $n in it
};

struct ExecuteStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kExecute;
  ExecuteStatement() : Statement(kKind) {}
  Identifier name;
  ExpressionList arguments;
};

struct DeallocateStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kDeallocate;
  DeallocateStatement() : Statement(kKind) {}
  Identifier name;
  bool all = false;
};

struct ExplainStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kExplain;
  ExplainStatement() : Statement(kKind) {}
  bool analyze = false;  // also from (ANALYZE [true])
  bool verbose = false;
  std::vector<Option>
      options;  // the others of the list: format, costs, buffers, timing, summary, settings, wal
  StatementPtr statement;
};

struct DiscardStatement final : Statement {
  enum class What : uint8_t { kAll, kPlans, kSequences, kTemporary };
  static constexpr StatementKind kKind = StatementKind::kDiscard;
  DiscardStatement() : Statement(kKind) {}
  What what = What::kAll;
};

// LISTEN, NOTIFY, UNLISTEN
struct ListenStatement final : Statement {
  enum class Action : uint8_t { kListen, kUnlisten, kUnlistenAll, kNotify };
  static constexpr StatementKind kKind = StatementKind::kListen;
  ListenStatement() : Statement(kKind) {}
  Action action = Action::kListen;
  Identifier channel;
  std::string payload;
};

}  // namespace idem::ast
