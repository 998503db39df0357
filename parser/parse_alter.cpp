#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

StatementPtr StatementParser::parse_alter() {
  const uint32_t begin = position();
  expect(Keyword::kAlter);
  if (at(Keyword::kTable)) return parse_alter_table(ObjectKind::kTable, begin);
  if (at(Keyword::kView)) return parse_alter_table(ObjectKind::kView, begin);
  if (at(Keyword::kMaterialized, Keyword::kView))
    return parse_alter_table(ObjectKind::kMaterializedView, begin);
  if ((at(Keyword::kRole) || at(Keyword::kUser) || at(Keyword::kGroup)) && !next_is(Keyword::kMapping)) {
    return parse_alter_role(begin);
  }
  if (at(Keyword::kSystem)) return parse_alter_system(begin);
  if (at(Keyword::kSchema)) return parse_alter_schema(begin);
  if (at(Keyword::kDefault, Keyword::kPrivileges)) return parse_alter_default_privileges(begin);
  return unsupported_statement("ALTER", begin);
}

// ---- ALTER TABLE, VIEW, MATERIALIZED VIEW

StatementPtr StatementParser::parse_alter_table(ObjectKind object, uint32_t at_position) {
  auto alter = make<AlterTableStatement>(at_position);
  alter->object = object;
  if (object == ObjectKind::kMaterializedView) advance();
  advance();
  if (object != ObjectKind::kView && at(Keyword::kAll)) unsupported("ALTER … ALL IN TABLESPACE", position());
  alter->if_exists = accept_if_exists();
  accept(Keyword::kOnly);
  alter->table = parse_object_name(object == ObjectKind::kTable ? "a table name" : "a view name");
  accept_operator("*");
  do { alter->actions.push_back(parse_alter_action(object)); } while (accept(TokenKind::kComma));
  return alter;
}

AlterAction StatementParser::parse_alter_action(ObjectKind object) {
  using Kind = AlterAction::Kind;
  AlterAction action;
  action.position = position();
  if (accept(Keyword::kAdd)) {
    parse_alter_add(action);
  } else if (accept(Keyword::kDrop)) {
    parse_alter_drop(action);
  } else if (accept(Keyword::kAlter)) {
    parse_alter_column(action);
  } else if (accept(Keyword::kRename)) {
    parse_alter_rename(action, object);
  } else if (accept(Keyword::kSet)) {
    parse_alter_set(action);
  } else if (accept(Keyword::kReset)) {
    action.kind = Kind::kResetOptions;
    action.options = parse_options();
  } else if (accept(Keyword::kOwner)) {
    expect(Keyword::kTo);
    action.kind = Kind::kOwnerTo;
    action.role = parse_role_name();
  } else if (accept(Keyword::kDedup)) {
    if (accept(Keyword::kDisable)) {
      action.kind = Kind::kDedupDisable;
    } else {
      expect(Keyword::kEnable);
      action.kind = Kind::kDedupEnable;
      action.dedup = parse_dedup_keys();
    }
  } else if (accept(Keyword::kDetach)) {
    expect(Keyword::kPartition);
    action.kind = Kind::kDetachPartition;
    action.partitions.push_back(parse_string("a partition's name"));
    expect(Keyword::kInto);
    action.table = parse_object_name("a table name");
  } else if (accept(Keyword::kAttach)) {
    expect(Keyword::kPartition);
    action.kind = Kind::kAttachPartition;
    action.partitions.push_back(parse_string("a partition's name"));
    expect(Keyword::kFrom);
    action.table = parse_object_name("a table name");
    action.replace = accept(Keyword::kReplace);
  } else if (accept(Keyword::kFreeze)) {
    expect(Keyword::kPartition);
    action.kind = Kind::kFreezePartition;
    parse_partition_selection(action);
  } else if (accept(Keyword::kCreate)) {
    parse_create_tag(action);
  } else {
    switch (token().keyword) {
      case Keyword::kEnable:
      case Keyword::kDisable:
      case Keyword::kInherit:
      case Keyword::kNo:
      case Keyword::kForce:
      case Keyword::kCluster:
      case Keyword::kReplica:
      case Keyword::kValidate:
      case Keyword::kOf:
      case Keyword::kNot: unsupported(fmt::format("ALTER TABLE … {}", source()), position());
      default: fail();
    }
  }
  return action;
}

void StatementParser::parse_alter_add(AlterAction& action) {
  using Kind = AlterAction::Kind;
  const Keyword word = token().keyword;
  if (word == Keyword::kConstraint) {
    advance();
    parse_name("a constraint name");
  }
  refuse_constraint();
  if (word == Keyword::kConstraint || token().keyword == Keyword::kPrimary) {
    expect(Keyword::kPrimary, Keyword::kKey);
    if (at(Keyword::kUsing)) unsupported("ADD PRIMARY KEY USING INDEX", position());
    action.kind = Kind::kAddPrimaryKey;
    action.columns = parse_name_list_in_parens("a column name");
    return;
  }
  accept(Keyword::kColumn);
  action.if_not_exists = accept_if_not_exists();
  action.kind = Kind::kAddColumn;
  action.column = parse_column_definition();
}

void StatementParser::parse_alter_drop(AlterAction& action) {
  using Kind = AlterAction::Kind;
  if (at(Keyword::kConstraint)) unsupported("DROP CONSTRAINT", position());
  const bool partition =
      token().keyword == Keyword::kPartition &&
      (next_is(Keyword::kList) || next_is(Keyword::kWhere) || is_string_token(peek().kind));
  if (partition) {
    advance();
    action.kind = Kind::kDropPartition;
    parse_partition_selection(action);
    return;
  }
  if (token().keyword == Keyword::kTag && (next_is(Keyword::kIf) || is_string_token(peek().kind))) {
    advance();
    action.kind = Kind::kDropTag;
    action.if_exists = accept_if_exists();
    action.tag = parse_string("a tag's name");
    return;
  }
  accept(Keyword::kColumn);
  action.kind = Kind::kDropColumn;
  action.if_exists = accept_if_exists();
  action.name = parse_ddl_name("a column name");
  action.cascade = accept_cascade();
}

// LIST 'a', 'b' | 'a', 'b' | WHERE condition
void StatementParser::parse_partition_selection(AlterAction& action) {
  if (accept(Keyword::kWhere)) {
    action.expression = parse_expression();
    return;
  }
  accept(Keyword::kList);
  do {
    action.partitions.push_back(parse_string("a partition's name"));
  } while (is_string_token(peek().kind) && accept(TokenKind::kComma));
}

void StatementParser::parse_alter_column(AlterAction& action) {
  using Kind = AlterAction::Kind;
  accept(Keyword::kColumn);
  action.name = parse_ddl_name("a column name");
  if (accept(Keyword::kDrop)) {
    if (accept(Keyword::kDefault)) {
      action.kind = Kind::kDropDefault;
      return;
    }
    if (at(Keyword::kExpression) || at(Keyword::kIdentity)) unsupported("GENERATED", position());
    expect(Keyword::kNot, Keyword::kNull);
    action.kind = Kind::kDropNotNull;
    return;
  }
  if (accept(Keyword::kSet)) {
    if (accept(Keyword::kDefault)) {
      action.kind = Kind::kSetDefault;
      action.expression = parse_expression();
      return;
    }
    if (accept(Keyword::kNot)) {
      expect(Keyword::kNull);
      action.kind = Kind::kSetNotNull;
      return;
    }
    if (!accept(Keyword::kData)) {
      if (is_label(token()) || token().kind == TokenKind::kLeftParen) {
        unsupported(fmt::format("ALTER COLUMN … SET {}", source()), position());
      }
      fail();
    }
  }
  if (token().keyword == Keyword::kAdd || token().keyword == Keyword::kCache ||
      token().keyword == Keyword::kNocache) {
    unsupported(fmt::format("ALTER COLUMN … {}", source()), position());
  }
  expect(Keyword::kType);
  action.kind = Kind::kAlterType;
  action.column.name = action.name;
  action.column.type = parse_type_name();
  while (at(Keyword::kCollate) || at(Keyword::kCapacity) || at(Keyword::kCache) || at(Keyword::kNocache) ||
         at(Keyword::kIndex)) {
    parse_column_option(action.column);
  }
  if (accept(Keyword::kUsing)) action.expression = parse_expression();
}

void StatementParser::parse_alter_rename(AlterAction& action, ObjectKind object) {
  using Kind = AlterAction::Kind;
  if (at(Keyword::kConstraint)) unsupported("RENAME CONSTRAINT", position());
  if (accept(Keyword::kTo)) {
    action.kind = Kind::kRename;
    action.new_name = parse_ddl_name(object == ObjectKind::kTable ? "a table name" : "a view name");
    return;
  }
  accept(Keyword::kColumn);
  action.kind = Kind::kRenameColumn;
  action.name = parse_ddl_name("a column name");
  expect(Keyword::kTo);
  action.new_name = parse_ddl_name("a column name");
}

void StatementParser::parse_alter_set(AlterAction& action) {
  using Kind = AlterAction::Kind;
  if (token().kind == TokenKind::kLeftParen) {
    action.kind = Kind::kSetOptions;
    action.options = parse_options();
    return;
  }
  if (accept(Keyword::kSchema)) {
    action.kind = Kind::kSetSchema;
    action.new_name = parse_label("a schema name");
    return;
  }
  if (accept(Keyword::kTtl)) {
    action.kind = Kind::kSetTtl;
    action.ttl = parse_ttl();
    return;
  }
  if (accept(Keyword::kRefresh)) {
    action.kind = Kind::kSetRefresh;
    action.refresh = parse_refresh_clause();
    return;
  }
  if (token().kind == TokenKind::kWord && !at_end()) {
    unsupported(fmt::format("ALTER TABLE … SET {}", source()), position());
  }
  fail();
}

// CREATE TAG 'name' [AS OF VERSION n] [RETAIN n DAYS]
void StatementParser::parse_create_tag(AlterAction& action) {
  expect(Keyword::kTag);
  action.kind = AlterAction::Kind::kCreateTag;
  action.if_not_exists = accept_if_not_exists();
  action.tag = parse_string("a tag's name");
  if (accept(Keyword::kAs)) {
    expect(Keyword::kOf, Keyword::kVersion);
    action.version = parse_integer("a version");
  } else if (accept(Keyword::kVersion)) {
    expect(Keyword::kAs, Keyword::kOf);
    action.version = parse_integer("a version");
  }
  if (accept(Keyword::kRetain)) action.retain = parse_ttl();
}

// ---- ALTER ROLE, SYSTEM, SCHEMA, DEFAULT PRIVILEGES

StatementPtr StatementParser::parse_alter_role(uint32_t at_position) {
  auto alter = make<AlterRoleStatement>(at_position);
  advance();
  if (accept(Keyword::kAll)) {
    alter->all = true;
  } else {
    alter->role = parse_role_name();
  }
  if (accept(Keyword::kRename)) {
    expect(Keyword::kTo);
    alter->new_name = parse_ddl_name("a role name");
    return alter;
  }
  if (at(Keyword::kIn, Keyword::kDatabase)) unsupported("ALTER ROLE … IN DATABASE", position());
  if (accept(Keyword::kSet)) {
    alter->setting = parse_setting_name();
    if (!accept(Keyword::kTo) && !accept_operator("=")) fail("=");
    if (accept(Keyword::kDefault)) {
      alter->reset = true;
    } else {
      alter->values = parse_setting_values();
    }
    return alter;
  }
  if (accept(Keyword::kReset)) {
    alter->reset = true;
    alter->setting = accept(Keyword::kAll) ? "all" : parse_setting_name();
    return alter;
  }
  accept(Keyword::kWith);
  while (parse_role_option(alter->options)) {}
  return alter;
}

StatementPtr StatementParser::parse_alter_system(uint32_t at_position) {
  auto alter = make<AlterSystemStatement>(at_position);
  expect(Keyword::kSystem);
  if (accept(Keyword::kReset)) {
    alter->reset = true;
    alter->setting = accept(Keyword::kAll) ? "all" : parse_setting_name();
    return alter;
  }
  expect(Keyword::kSet);
  alter->setting = parse_setting_name();
  if (!accept(Keyword::kTo) && !accept_operator("=")) fail("=");
  if (accept(Keyword::kDefault)) {
    alter->reset = true;
  } else {
    alter->values = parse_setting_values();
  }
  return alter;
}

StatementPtr StatementParser::parse_alter_schema(uint32_t at_position) {
  auto alter = make<AlterSchemaStatement>(at_position);
  expect(Keyword::kSchema);
  alter->name = parse_label("a schema name");
  if (accept(Keyword::kRename)) {
    expect(Keyword::kTo);
    alter->new_name = parse_label("a schema name");
  } else if (accept(Keyword::kOwner)) {
    expect(Keyword::kTo);
    alter->owner = parse_role_name();
  } else {
    expect(Keyword::kSet);
    alter->options = parse_options();
  }
  return alter;
}

StatementPtr StatementParser::parse_alter_default_privileges(uint32_t at_position) {
  auto alter = make<AlterDefaultPrivilegesStatement>(at_position);
  expect(Keyword::kDefault, Keyword::kPrivileges);
  for (;;) {
    if (accept(Keyword::kFor)) {
      if (!accept(Keyword::kRole)) expect(Keyword::kUser);
      alter->for_roles = parse_role_names();
    } else if (accept(Keyword::kIn)) {
      expect(Keyword::kSchema);
      do { alter->in_schemas.push_back(parse_label("a schema name")); } while (accept(TokenKind::kComma));
    } else {
      break;
    }
  }
  alter->grant.is_grant = accept(Keyword::kGrant);
  if (!alter->grant.is_grant) expect(Keyword::kRevoke);
  parse_grant_body(alter->grant, true);
  return alter;
}

}  // namespace idem::parser
