#pragma once

#include "parser/ast_statement.h"

namespace idem::ast {

enum class KeepPolicy : uint8_t { kLast, kFirst, kMin, kMax, kNonNull };
enum class PartitionUnit : uint8_t { kNone, kHour, kDay, kWeek, kMonth, kYear };
enum class OnCommit : uint8_t { kPreserveRows, kDeleteRows, kDrop };

struct ColumnDefinition {
  Identifier name;
  TypeName type;
  bool not_null = false;
  bool primary_key = false;
  ExpressionPtr default_value;  // may be null
  std::optional<KeepPolicy> keep;
  std::vector<Identifier> collation;
  std::optional<uint32_t> symbol_capacity;  // SYMBOL CAPACITY n
  std::optional<bool> symbol_cache;         // CACHE, NOCACHE
  bool index = false;                       // INDEX [CAPACITY n], a hint
};

struct LikeClause {
  ObjectName table;
  bool including_all = false;
  uint32_t columns_before = 0;  // how many of CreateTable::columns stand before it
};

struct DedupClause {
  std::vector<Identifier> keys;
  Identifier version_by, deleted_when;  // empty where not written
  uint32_t position = 0;
};

struct TtlClause {
  int64_t count = 0;
  std::string unit;  // "HOURS", "DAYS", "WEEKS", "MONTHS", "YEARS"
};

// UNIQUE, CHECK, FOREIGN KEY, REFERENCES, GENERATED, EXCLUDE, BYPASS WAL and IN VOLUME are refused by the
// parser (0A000).
struct CreateTableStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kCreateTable;
  CreateTableStatement() : Statement(kKind) {}
  ObjectName name;
  bool or_replace = false;
  bool if_not_exists = false;
  bool temporary = false;
  bool unlogged = false;
  std::vector<ColumnDefinition> columns;
  std::vector<LikeClause> likes;
  Identifier timestamp;                       // TIMESTAMP(column); empty: none
  std::optional<PartitionUnit> partition_by;  // nullopt: not written
  bool wal = false;
  std::optional<DedupClause> dedup;
  std::optional<TtlClause> ttl;
  std::vector<Identifier> primary_key;  // of the table constraint or of a column
  std::optional<OnCommit> on_commit;
  std::vector<Option> options;
  QueryPtr query;                        // CREATE TABLE … AS; null otherwise
  std::vector<Identifier> column_names;  // CREATE TABLE t (a, b) AS query
  bool with_no_data = false;
};

struct CreateViewStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kCreateView;
  CreateViewStatement() : Statement(kKind) {}
  ObjectName name;
  bool or_replace = false;
  bool if_not_exists = false;
  bool temporary = false;
  std::vector<Identifier> columns;
  std::vector<Option> options;
  QueryPtr query;
};

// REFRESH IMMEDIATE | EVERY n unit | MANUAL
struct RefreshClause {
  enum class Mode : uint8_t { kDefault, kImmediate, kEvery, kManual };
  Mode mode = Mode::kDefault;
  TimeSpan every;  // kEvery
};

struct CreateMaterializedViewStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kCreateMaterializedView;
  CreateMaterializedViewStatement() : Statement(kKind) {}
  ObjectName name;
  bool if_not_exists = false;
  std::vector<Identifier> columns;
  RefreshClause refresh;
  std::optional<PartitionUnit> partition_by;
  std::optional<TtlClause> ttl;
  std::vector<Option> options;
  QueryPtr query;
  bool with_no_data = false;
};

struct CreateSchemaStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kCreateSchema;
  CreateSchemaStatement() : Statement(kKind) {}
  Identifier name;
  bool if_not_exists = false;
  std::string owner;  // AUTHORIZATION
  std::vector<Option> options;
};

// The role that a statement names: a name, or one of the words.
struct RoleName {
  enum class Kind : uint8_t { kName, kPublic, kCurrentUser, kSessionUser };
  Kind kind = Kind::kName;
  std::string name;
  uint32_t position = 0;
};

// nullopt: not written.
struct RoleOptions {
  std::optional<bool> superuser, create_database, create_role, inherit, login, replication,
      bypass_row_security;
  std::optional<int64_t> connection_limit;
  bool has_password = false;  // PASSWORD was written; NULL removes it
  std::optional<std::string> password;
  std::optional<std::string> valid_until;
  std::vector<RoleName> in_roles, members, admins;
};

struct CreateRoleStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kCreateRole;
  CreateRoleStatement() : Statement(kKind) {}
  Identifier name;
  bool if_not_exists = false;
  bool is_user = false;  // CREATE USER: may log in unless NOLOGIN
  RoleOptions options;
};

struct CreateChangeSlotStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kCreateChangeSlot;
  CreateChangeSlotStatement() : Statement(kKind) {}
  Identifier name;
  bool if_not_exists = false;
  ObjectName table;
};

enum class ObjectKind : uint8_t {
  kTable,
  kView,
  kMaterializedView,
  kSchema,
  kRole,
  kChangeSlot,
  kColumn,
  kDatabase,
  kSequence,
  kFunction,
  kIndex,
};

struct DropStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kDrop;
  DropStatement() : Statement(kKind) {}
  ObjectKind object = ObjectKind::kTable;  // kTable, kView, kMaterializedView, kSchema, kRole, kChangeSlot
  bool if_exists = false;
  std::vector<ObjectName> names;
  bool cascade = false;
};

struct AlterAction {
  enum class Kind : uint8_t {
    kAddColumn,     // column, if_not_exists
    kDropColumn,    // name, if_exists, cascade
    kRenameColumn,  // name, new_name
    kRename,        // new_name
    kSetSchema,     // new_name
    kOwnerTo,       // role
    kAlterType,     // column.name, column.type, column.collation, using_expression
    kSetDefault,    // name, expression
    kDropDefault,   // name
    kSetNotNull,    // name
    kDropNotNull,   // name
    kSetOptions,    // options
    kResetOptions,  // options, names only
    kSetTtl,        // ttl
    kSetRefresh,    // refresh
    kDedupEnable,   // dedup
    kDedupDisable,
    kAddPrimaryKey,    // columns
    kDropPartition,    // partitions, or expression (WHERE)
    kFreezePartition,  // partitions, or expression (WHERE)
    kDetachPartition,  // partitions[0], table
    kAttachPartition,  // partitions[0], table, replace
    kCreateTag,        // tag, version, retain
    kDropTag,          // tag, if_exists
  };
  Kind kind = Kind::kAddColumn;
  uint32_t position = 0;
  ColumnDefinition column;
  Identifier name, new_name;
  bool if_exists = false;
  bool if_not_exists = false;
  bool cascade = false;
  bool replace = false;
  ExpressionPtr expression;
  RoleName role;
  std::vector<Option> options;
  std::optional<TtlClause> ttl;
  RefreshClause refresh;
  DedupClause dedup;
  std::vector<Identifier> columns;
  std::vector<std::string> partitions;
  ObjectName table;
  std::string tag;
  std::optional<int64_t> version;   // AS OF VERSION n
  std::optional<TtlClause> retain;  // RETAIN n DAYS
};

// ALTER TABLE, VIEW and MATERIALIZED VIEW.
struct AlterTableStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kAlterTable;
  AlterTableStatement() : Statement(kKind) {}
  ObjectKind object = ObjectKind::kTable;
  bool if_exists = false;
  ObjectName table;
  std::vector<AlterAction> actions;
};

struct AlterRoleStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kAlterRole;
  AlterRoleStatement() : Statement(kKind) {}
  RoleName role;
  bool all = false;  // ALTER ROLE ALL SET …
  RoleOptions options;
  Identifier new_name;  // RENAME TO
  std::string setting;  // SET name = value, RESET name; "all" for RESET ALL
  bool reset = false;
  std::vector<std::string> values;
};

// ALTER SYSTEM SET name = value, … | DEFAULT; RESET name | ALL
struct AlterSystemStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kAlterSystem;
  AlterSystemStatement() : Statement(kKind) {}
  std::string setting;  // lower case; "all" of RESET ALL
  bool reset = false;   // also SET name = DEFAULT
  std::vector<std::string> values;
};

struct AlterSchemaStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kAlterSchema;
  AlterSchemaStatement() : Statement(kKind) {}
  Identifier name;
  Identifier new_name;            // RENAME TO
  std::optional<RoleName> owner;  // OWNER TO
  std::vector<Option> options;    // SET (…)
};

struct TruncateStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kTruncate;
  TruncateStatement() : Statement(kKind) {}
  std::vector<ObjectName> tables;
  bool cascade = false;
};

struct RestoreTableStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kRestoreTable;
  RestoreTableStatement() : Statement(kKind) {}
  ObjectName table;
  VersionClause to;
};

struct UndropStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kUndrop;
  UndropStatement() : Statement(kKind) {}
  ObjectName table;
  Identifier new_name;  // AS u; empty: its own
};

struct RefreshMaterializedViewStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kRefreshMaterializedView;
  RefreshMaterializedViewStatement() : Statement(kKind) {}
  ObjectName name;
  bool full = false;
  bool with_no_data = false;
};

struct AdvanceChangeSlotStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kAdvanceChangeSlot;
  AdvanceChangeSlotStatement() : Statement(kKind) {}
  Identifier name;
  ExpressionPtr version;
};

struct ForgetRunStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kForgetRun;
  ForgetRunStatement() : Statement(kKind) {}
  std::string key;
};

struct Privilege {
  std::string name;  // lower case: "select", …; "all"
  std::vector<Identifier> columns;
};

struct Grant {
  enum class Target : uint8_t {
    kTables,             // `objects`
    kAllTablesInSchema,  // `objects` are schemas; none: ALL TABLES, of every schema
    kSchemas,
    kDatabases,
    kSequences,
    kFunctions,
    kRoles,  // GRANT role TO role: the roles are `privileges`
  };
  bool is_grant = true;
  std::vector<Privilege> privileges;
  Target target = Target::kTables;
  std::vector<ObjectName> objects;
  std::vector<RoleName> grantees;
  bool with_option = false;  // WITH GRANT OPTION, WITH ADMIN OPTION; REVOKE … OPTION FOR
  bool cascade = false;
};

struct GrantStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kGrant;
  GrantStatement() : Statement(kKind) {}
  Grant grant;
};

struct AlterDefaultPrivilegesStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kAlterDefaultPrivileges;
  AlterDefaultPrivilegesStatement() : Statement(kKind) {}
  std::vector<RoleName> for_roles;
  std::vector<Identifier> in_schemas;
  Grant grant;  // without objects
};

struct CommentStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kComment;
  CommentStatement() : Statement(kKind) {}
  ObjectKind object = ObjectKind::kTable;
  ObjectName name;  // of kColumn: the table
  Identifier column;
  std::optional<std::string> text;  // nullopt: IS NULL
};

// VACUUM [t] [RETAIN n HOURS] [DRY RUN], and PostgreSQL's VACUUM [(options)] [FULL] [FREEZE] [VERBOSE]
// [ANALYZE] [t, …].
struct VacuumStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kVacuum;
  VacuumStatement() : Statement(kKind) {}
  std::vector<ObjectName> tables;  // none: all
  std::optional<TtlClause> retain;
  bool dry_run = false;
  bool analyze = false;
  std::vector<Option> options;
};

struct AnalyzeStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kAnalyze;
  AnalyzeStatement() : Statement(kKind) {}
  std::vector<ObjectName> tables;
  std::vector<Option> options;
};

struct CheckpointStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kCheckpoint;
  CheckpointStatement() : Statement(kKind) {}
};

struct LockStatement final : Statement {
  static constexpr StatementKind kKind = StatementKind::kLock;
  LockStatement() : Statement(kKind) {}
  std::vector<ObjectName> tables;
  std::string mode;  // "access exclusive", lower case
  bool nowait = false;
};

}  // namespace idem::ast
