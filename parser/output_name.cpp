#include "parser/ast_query.h"
#include "parser/deparse.h"

namespace idem::parser {

using namespace ast;

namespace {

// PostgreSQL's internal names of the types that its grammar spells otherwise.
std::string internal_type_name(const TypeName& type) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"int", "int4"},
      {"integer", "int4"},
      {"bigint", "int8"},
      {"smallint", "int2"},
      {"real", "float4"},
      {"float", "float8"},
      {"double precision", "float8"},
      {"boolean", "bool"},
      {"decimal", "numeric"},
      {"dec", "numeric"},
      {"character varying", "varchar"},
      {"character", "bpchar"},
      {"char", "bpchar"},
      {"nchar", "bpchar"},
      {"bit varying", "varbit"},
      {"timestamp with time zone", "timestamptz"},
      {"timestamp without time zone", "timestamp"},
      {"time with time zone", "timetz"},
      {"time without time zone", "time"},
      {"\"char\"", "char"},
  };
  for (const auto& [spelt, internal] : kNames) {
    if (type.name == spelt) return std::string(internal);
  }
  return type.name;
}

// A name with its strength, as in PostgreSQL: a cast's type and CASE are weak, and give way to what is
// inside.
struct Named {
  std::string name;
  int strength = 0;
};

Named find_name(const Expression& e) {
  switch (e.kind) {
    case ExpressionKind::kColumnRef: return {as<ColumnRef>(e).parts.back().text, 2};
    case ExpressionKind::kFieldSelect: return {as<FieldSelect>(e).field.text, 2};
    case ExpressionKind::kSubscript: return find_name(*as<Subscript>(e).operand);
    case ExpressionKind::kFunctionCall: return {as<FunctionCall>(e).function(), 2};
    case ExpressionKind::kCast: {
      Named inner = find_name(*as<Cast>(e).operand);
      if (inner.strength <= 1) return {internal_type_name(as<Cast>(e).type), 1};
      return inner;
    }
    case ExpressionKind::kTypedLiteral: return {internal_type_name(as<TypedLiteral>(e).type), 1};
    case ExpressionKind::kCollate: return find_name(*as<Collate>(e).operand);
    case ExpressionKind::kAtTimeZone: return {"timezone", 2};
    case ExpressionKind::kCase: {
      Named inner;
      if (as<Case>(e).otherwise) inner = find_name(*as<Case>(e).otherwise);
      if (inner.strength <= 1) return {"case", 1};
      return inner;
    }
    case ExpressionKind::kSubquery: {
      const auto& subquery = as<Subquery>(e);
      if (subquery.form == Subquery::Form::kExists) return {"exists", 2};
      if (subquery.form == Subquery::Form::kArray) return {"array", 2};
      const Query* query = subquery.query.get();
      while (query->kind == QueryKind::kSetOperation) query = query->operands.front().get();
      if (query->kind == QueryKind::kValues) return {"column1", 2};
      if (query->select->items.empty()) return {};
      const SelectItem& first = query->select->items.front();
      if (!first.alias.empty()) return {first.alias.text, 2};
      return find_name(*first.expression);
    }
    case ExpressionKind::kRow: return {"row", 2};
    case ExpressionKind::kArray: return {"array", 2};
    default: return {};
  }
}

}  // namespace

std::string output_name(const Expression& expression) {
  Named named = find_name(expression);
  return named.strength == 0 ? "?column?" : named.name;
}

}  // namespace idem::parser
