#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

RoleName StatementParser::parse_role_name() {
  RoleName role;
  role.position = position();
  if (accept(Keyword::kCurrentUser) || accept(Keyword::kCurrentRole)) {
    role.kind = RoleName::Kind::kCurrentUser;
  } else if (accept(Keyword::kSessionUser)) {
    role.kind = RoleName::Kind::kSessionUser;
  } else {
    const Identifier name = parse_ddl_name("a role name");
    if (!name.quoted && name.text == "public") {
      role.kind = RoleName::Kind::kPublic;
    } else {
      role.name = name.text;
    }
  }
  return role;
}

std::vector<RoleName> StatementParser::parse_role_names() {
  std::vector<RoleName> roles;
  do { roles.push_back(parse_role_name()); } while (accept(TokenKind::kComma));
  return roles;
}

bool StatementParser::parse_role_option(RoleOptions& options) {
  switch (token().keyword) {
    case Keyword::kConnection:
      expect(Keyword::kConnection, Keyword::kLimit);
      options.connection_limit = parse_signed_integer("a number");
      return true;
    case Keyword::kEncrypted:
      advance();
      if (!at(Keyword::kPassword)) fail();
      return true;
    case Keyword::kPassword:
      advance();
      options.has_password = true;
      options.password.reset();
      if (!accept(Keyword::kNull)) options.password = parse_string("a password");
      return true;
    case Keyword::kValid:
      expect(Keyword::kValid, Keyword::kUntil);
      options.valid_until = parse_string("a time");
      return true;
    case Keyword::kIn:
      advance();
      if (!accept(Keyword::kRole)) expect(Keyword::kGroup);
      options.in_roles = parse_role_names();
      return true;
    case Keyword::kRole:
    case Keyword::kUser:
      advance();
      options.members = parse_role_names();
      return true;
    case Keyword::kAdmin:
      advance();
      options.admins = parse_role_names();
      return true;
    default: break;
  }
  struct Flag {
    std::string_view name;
    std::optional<bool> RoleOptions::*member;
  };
  static constexpr Flag kFlags[] = {
      {"superuser", &RoleOptions::superuser},
      {"createdb", &RoleOptions::create_database},
      {"createrole", &RoleOptions::create_role},
      {"inherit", &RoleOptions::inherit},
      {"login", &RoleOptions::login},
      {"replication", &RoleOptions::replication},
      {"bypassrls", &RoleOptions::bypass_row_security},
  };
  note_expected("an option such as LOGIN, PASSWORD, SUPERUSER");
  if (token().kind != TokenKind::kWord) return false;
  const std::string word = fold_identifier(source());
  const bool negated = word.starts_with("no");
  for (const Flag& flag : kFlags) {
    if (word == flag.name || (negated && std::string_view(word).substr(2) == flag.name)) {
      options.*flag.member = word == flag.name;
      advance();
      return true;
    }
  }
  return false;
}

// ---- GRANT, REVOKE

StatementPtr StatementParser::parse_grant(bool is_grant) {
  auto statement = make<GrantStatement>(position());
  advance();
  statement->grant.is_grant = is_grant;
  parse_grant_body(statement->grant, false);
  return statement;
}

void StatementParser::parse_grant_body(Grant& grant, bool default_privileges) {
  if (!grant.is_grant && (token().keyword == Keyword::kGrant || token().keyword == Keyword::kAdmin) &&
      next_is(Keyword::kOption)) {
    advance();
    expect(Keyword::kOption, Keyword::kFor);
    grant.with_option = true;
  }
  grant.privileges = parse_privileges();
  if (accept(Keyword::kOn)) {
    parse_grant_target(grant);
  } else {
    if (default_privileges) fail();
    grant.target = Grant::Target::kRoles;
  }
  expect(grant.is_grant ? Keyword::kTo : Keyword::kFrom);
  do {
    accept(Keyword::kGroup);
    grant.grantees.push_back(parse_role_name());
  } while (accept(TokenKind::kComma));
  if (grant.is_grant && accept(Keyword::kWith)) {
    if (!accept(Keyword::kAdmin)) expect(Keyword::kGrant);
    expect(Keyword::kOption);
    grant.with_option = true;
  }
  if (accept(Keyword::kGranted)) {
    expect(Keyword::kBy);
    parse_role_name();
  }
  if (!grant.is_grant) grant.cascade = accept_cascade();
}

std::vector<Privilege> StatementParser::parse_privileges() {
  std::vector<Privilege> privileges;
  do {
    Privilege privilege;
    if (accept(Keyword::kAll)) {
      accept(Keyword::kPrivileges);
      privilege.name = "all";
    } else {
      privilege.name = parse_label("a privilege").text;
    }
    if (token().kind == TokenKind::kLeftParen) privilege.columns = parse_name_list_in_parens("a column name");
    privileges.push_back(std::move(privilege));
  } while (accept(TokenKind::kComma));
  return privileges;
}

void StatementParser::parse_grant_target(Grant& grant) {
  using Target = Grant::Target;
  const auto schemas = [this, &grant] {
    do {
      ObjectName name;
      name.name = parse_label("a schema name");
      grant.objects.push_back(std::move(name));
    } while (accept(TokenKind::kComma));
  };
  // ALTER DEFAULT PRIVILEGES … ON TABLES; GRANT … ON ALL TABLES [IN SCHEMA s]
  const bool all = accept(Keyword::kAll);
  if (all || at(Keyword::kTables) || at(Keyword::kSequences) || at(Keyword::kFunctions) ||
      at(Keyword::kSchemas)) {
    const bool bare_word = next_is(Keyword::kTo) || next_is(Keyword::kFrom);
    if (all || bare_word) {
      if (accept(Keyword::kTables)) {
        grant.target = all ? Target::kAllTablesInSchema : Target::kTables;
      } else if (accept(Keyword::kSequences)) {
        grant.target = Target::kSequences;
      } else if (accept(Keyword::kSchemas)) {
        grant.target = Target::kSchemas;
      } else {
        expect(Keyword::kFunctions);
        grant.target = Target::kFunctions;
      }
      if (all && accept(Keyword::kIn)) {
        expect(Keyword::kSchema);
        schemas();
      }
      return;
    }
  }
  if (accept(Keyword::kSchema)) {
    grant.target = Target::kSchemas;
    schemas();
    return;
  }
  if (accept(Keyword::kDatabase)) {
    grant.target = Target::kDatabases;
  } else if (accept(Keyword::kSequence)) {
    grant.target = Target::kSequences;
  } else if (at(Keyword::kFunction) || at(Keyword::kProcedure) || at(Keyword::kLanguage) ||
             at(Keyword::kType) || at(Keyword::kDomain) || at(Keyword::kTablespace) ||
             at(Keyword::kForeign)) {
    unsupported(fmt::format("privileges on a {}", source()), position());
  } else {
    accept(Keyword::kTable);
  }
  grant.objects = parse_object_names("a table name");
}

}  // namespace idem::parser
