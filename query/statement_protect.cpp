#include <algorithm>

#include "common/string_arena.h"
#include "common/timestamp_text.h"
#include "common/value_text.h"
#include "query/access_control.h"
#include "query/partition_condition.h"
#include "query/statement_executors.h"

namespace idem {

namespace {

using Kind = ast::AlterAction::Kind;

TableProtection protection_of(const SessionState& session, TableId table) {
  const auto& protections = session.snapshot().catalog->protections;
  const auto found = protections.find(static_cast<uint32_t>(table));
  return found == protections.end() ? TableProtection() : found->second;
}

// Owners, and the creator in a schema that owns its objects.
void require_protector(const SessionState& session, const TableSchema& table) {
  const SecuredObject object = SecuredObject::of(table);
  const AccessControl access = session.access();
  if (!access.owns(object) && !contains(access.privileges(object), Privilege::kProtect))
    access.require_owner(object);
}

void set_immutable(const SessionState& session, bool immutable, const TableSchema& table,
                   TableProtection& protection) {
  if (immutable) {
    require_protector(session, table);
  } else if (protection.until_micros > session.server.clock->now_micros()) {
    char text[kMaxTimestampText];
    throw sql_error(sqlstate::kInsufficientPrivilege, "table \"{}\" is immutable until {}", table.name,
                    std::string(text, format_timestamp(text, protection.until_micros)));
  } else if (protection.immutable && !session.access().is_superuser()) {
    throw sql_error(sqlstate::kInsufficientPrivilege,
                    "permission denied to make table \"{}\" changeable again", table.name)
        .with_hint("You must be a superuser.");
  } else {
    require_protector(session, table);
  }
  protection.immutable = immutable;
}

void set_until(SessionState& session, const ast::Option& option, const TableSchema& table,
               TableProtection& protection) {
  require_protector(session, table);
  int64_t micros = 0;
  StringArena arena;
  TextOptions text;
  text.now_micros = session.transaction_time_micros;
  parse_text(TypeId::kTimestamp, option.value, &micros, arena, text);
  if (micros < protection.until_micros) {
    throw sql_error(sqlstate::kInsufficientPrivilege, "immutable_until of table \"{}\" cannot be shortened",
                    table.name)
        .with_position(option.position);
  }
  protection.until_micros = micros;
}

void freeze(SessionState& session, const ast::AlterAction& action, const TableVersion& table,
            TableProtection& protection) {
  const TableSchema& schema = *table.schema;
  require_protector(session, schema);
  if (action.expression) {
    for (const int64_t start : partitions_where(session, table, *action.expression))
      protection.partitions.insert(start);
    return;
  }
  for (const std::string& name : action.partitions) {
    const auto start = parse_partition_name(schema.partition_by, name);
    if (!start || table.find_partition(*start) < 0) {
      throw sql_error(sqlstate::kUndefinedObject, "table \"{}\" has no partition \"{}\"", schema.name, name)
          .with_position(action.position);
    }
    protection.partitions.insert(*start);
  }
}

}  // namespace

bool boolean_option(const ast::Option& option) {
  bool value = true;
  if (option.kind == ast::Option::ValueKind::kNone || parse_boolean(option.value, &value)) return value;
  throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for boolean option \"{}\": {}",
                  option.name, option.value)
      .with_position(option.position);
}

bool is_protection(const ast::AlterAction& action) {
  if (action.kind == Kind::kFreezePartition) return true;
  if (action.kind != Kind::kSetOptions && action.kind != Kind::kResetOptions) return false;
  return std::any_of(action.options.begin(), action.options.end(), [](const ast::Option& option) {
    return option.name == "immutable" || option.name == "immutable_until";
  });
}

void protect_table(SessionState& session, const ast::AlterAction& action, const TableVersion& table) {
  const TableSchema& schema = *table.schema;
  if (schema.temporary)
    throw SqlError(sqlstate::kFeatureNotSupported, "temporary tables cannot be protected")
        .with_position(action.position);
  const TableProtection before = protection_of(session, schema.id);
  TableProtection protection = before;
  if (action.kind == Kind::kFreezePartition) freeze(session, action, table, protection);
  for (const ast::Option& option : action.options) {
    if (option.name == "immutable") {
      set_immutable(session, action.kind == Kind::kSetOptions && boolean_option(option), schema, protection);
    } else if (option.name != "immutable_until") {
      throw sql_error(sqlstate::kFeatureNotSupported,
                      "ALTER TABLE … SET ({}) beside immutable is not supported", option.name)
          .with_position(option.position);
    } else if (action.kind == Kind::kSetOptions) {
      set_until(session, option, schema, protection);
    } else if (protection.until_micros != 0) {
      throw sql_error(sqlstate::kInsufficientPrivilege, "immutable_until of table \"{}\" cannot be lifted",
                      schema.name);
    }
  }
  if (protection != before)
    session.write_transaction("ALTER TABLE").protect_table(schema.id, std::move(protection));
}

}  // namespace idem
