#include "parser/deparse.h"
#include "parser/deparser.h"
#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

namespace {

int symbol_precedence(const std::string& symbol, const std::string& schema) {
  return schema.empty() ? operator_precedence(symbol) : static_cast<int>(precedence::kOther);
}

int expression_precedence(const Expression& e) {
  switch (e.kind) {
    case ExpressionKind::kLiteral: {
      const auto& literal = as<Literal>(e);
      const bool negative = (literal.literal == LiteralKind::kInteger && literal.integer < 0) ||
                            (literal.literal == LiteralKind::kDecimal && literal.text.starts_with('-'));
      return negative ? precedence::kSign : precedence::kPrimary;
    }
    case ExpressionKind::kOperator: {
      const auto& op = as<Operator>(e);
      if (op.left) return symbol_precedence(op.symbol, op.schema);
      const bool sign = op.schema.empty() && (op.symbol == "+" || op.symbol == "-");
      return sign ? precedence::kSign : precedence::kOther;
    }
    case ExpressionKind::kQuantified:
      return symbol_precedence(as<Quantified>(e).symbol, as<Quantified>(e).schema);
    case ExpressionKind::kLogical: return as<Logical>(e).is_and ? precedence::kAnd : precedence::kOr;
    case ExpressionKind::kNot: return precedence::kNot;
    case ExpressionKind::kIs: return precedence::kIs;
    case ExpressionKind::kIn:
    case ExpressionKind::kBetween:
    case ExpressionKind::kLike: return precedence::kRange;
    case ExpressionKind::kAtTimeZone: return precedence::kAtTimeZone;
    case ExpressionKind::kCollate: return precedence::kCollate;
    case ExpressionKind::kCast:
    case ExpressionKind::kSubscript:
    case ExpressionKind::kFieldSelect: return precedence::kPostfix;
    default: return precedence::kPrimary;
  }
}

}  // namespace

void Deparser::operand(const Expression& e, int weakest) {
  if (expression_precedence(e) >= weakest) {
    expression(e);
    return;
  }
  put("(");
  expression(e);
  put(")");
}

void Deparser::expressions(const ExpressionList& items) {
  list(items, [this](const ExpressionPtr& e) { expression(*e); });
}

void Deparser::expression(const Expression& e) {
  switch (e.kind) {
    case ExpressionKind::kLiteral: return literal_value(as<Literal>(e));
    case ExpressionKind::kTypedLiteral: {
      const auto& typed = as<TypedLiteral>(e);
      TypeName bare = typed.type;
      bare.interval_fields.clear();
      type(bare);
      put(" ");
      literal(typed.text);
      if (!typed.type.interval_fields.empty()) {
        put(" ");
        put(typed.type.interval_fields);
      }
      return;
    }
    case ExpressionKind::kParameter: put("$" + std::to_string(as<Parameter>(e).number)); return;
    case ExpressionKind::kColumnRef: return dotted(as<ColumnRef>(e).parts);
    case ExpressionKind::kStar: {
      const auto& star = as<Star>(e);
      if (star.of) {
        put("(");
        expression(*star.of);
        put(").");
      } else if (!star.qualifier.empty()) {
        dotted(star.qualifier);
        put(".");
      }
      put("*");
      return;
    }
    case ExpressionKind::kFunctionCall: return function(as<FunctionCall>(e));
    case ExpressionKind::kOperator: return operation(as<Operator>(e));
    case ExpressionKind::kLogical: return logical(as<Logical>(e));
    case ExpressionKind::kNot: put("NOT "); return operand(*as<Not>(e).operand, precedence::kNot);
    case ExpressionKind::kQuantified: return quantified(as<Quantified>(e));
    case ExpressionKind::kIn: return in(as<In>(e));
    case ExpressionKind::kBetween: {
      const auto& between = as<Between>(e);
      operand(*between.operand, precedence::kRange + 1);
      put(between.negated ? " NOT BETWEEN " : " BETWEEN ");
      if (between.symmetric) put("SYMMETRIC ");
      operand(*between.low, precedence::kRange + 1);
      put(" AND ");
      return operand(*between.high, precedence::kRange + 1);
    }
    case ExpressionKind::kLike: return like(as<Like>(e));
    case ExpressionKind::kIs: return is(as<Is>(e));
    case ExpressionKind::kCase: return case_expression(as<Case>(e));
    case ExpressionKind::kCast:
      operand(*as<Cast>(e).operand, precedence::kPostfix);
      put("::");
      return type(as<Cast>(e).type);
    case ExpressionKind::kSubquery: {
      const auto& subquery = as<Subquery>(e);
      if (subquery.form == Subquery::Form::kExists) put("EXISTS ");
      if (subquery.form == Subquery::Form::kArray) put("ARRAY");
      put("(");
      query(*subquery.query);
      put(")");
      return;
    }
    case ExpressionKind::kRow:
      put(as<Row>(e).explicit_row ? "ROW(" : "(");
      expressions(as<Row>(e).items);
      put(")");
      return;
    case ExpressionKind::kArray: put("ARRAY"); return array_items(as<Array>(e));
    case ExpressionKind::kSubscript: return subscript(as<Subscript>(e));
    case ExpressionKind::kFieldSelect:
      put("(");
      expression(*as<FieldSelect>(e).operand);
      put(").");
      return name(as<FieldSelect>(e).field);
    case ExpressionKind::kCollate:
      operand(*as<Collate>(e).operand, precedence::kCollate);
      put(" COLLATE ");
      return dotted(as<Collate>(e).collation);
    case ExpressionKind::kAtTimeZone:
      operand(*as<AtTimeZone>(e).operand, precedence::kAtTimeZone);
      put(" AT TIME ZONE ");
      return operand(*as<AtTimeZone>(e).zone, precedence::kAtTimeZone + 1);
    case ExpressionKind::kDefault: put("DEFAULT"); return;
  }
}

void Deparser::literal_value(const Literal& e) {
  switch (e.literal) {
    case LiteralKind::kNull: put("NULL"); return;
    case LiteralKind::kBoolean: put(e.boolean ? "TRUE" : "FALSE"); return;
    case LiteralKind::kInteger: put(std::to_string(e.integer)); return;
    case LiteralKind::kDecimal: put(e.text); return;
    case LiteralKind::kString: literal(e.text); return;
    case LiteralKind::kBitString:
      put(e.text.substr(0, 1) == "b" ? "B'" : "X'");
      put(std::string_view(e.text).substr(1));
      put("'");
      return;
  }
}

void Deparser::symbol(const std::string& operator_symbol, const std::string& schema) {
  if (schema.empty()) {
    put(operator_symbol);
    return;
  }
  put("OPERATOR(");
  word(schema);
  put(".");
  put(operator_symbol);
  put(")");
}

void Deparser::operation(const Operator& e) {
  if (!e.left) {
    const bool sign = e.schema.empty() && (e.symbol == "+" || e.symbol == "-");
    symbol(e.symbol, e.schema);
    if (!sign) put(" ");
    operand(*e.right, sign ? precedence::kPostfix : precedence::kOther + 1);
    return;
  }
  const int strength = symbol_precedence(e.symbol, e.schema);
  operand(*e.left, strength == precedence::kComparison ? strength + 1 : strength);
  put(" ");
  symbol(e.symbol, e.schema);
  put(" ");
  operand(*e.right, strength + 1);
}

void Deparser::logical(const Logical& e) {
  const int strength = e.is_and ? precedence::kAnd : precedence::kOr;
  for (size_t i = 0; i < e.operands.size(); ++i) {
    if (i > 0) put(e.is_and ? " AND " : " OR ");
    operand(*e.operands[i], strength + 1);
  }
}

void Deparser::quantified(const Quantified& e) {
  const int strength = symbol_precedence(e.symbol, e.schema);
  operand(*e.left, strength == precedence::kComparison ? strength + 1 : strength);
  put(" ");
  symbol(e.symbol, e.schema);
  put(e.all ? " ALL (" : " ANY (");
  if (e.query) {
    query(*e.query);
  } else if (e.array->kind == ExpressionKind::kRow && !as<Row>(*e.array).explicit_row) {
    expressions(as<Row>(*e.array).items);
  } else {
    expression(*e.array);
  }
  put(")");
}

void Deparser::in(const In& e) {
  operand(*e.left, precedence::kRange + 1);
  put(e.negated ? " NOT IN " : " IN ");
  if (e.interval_string) {
    operand(*e.list[0], precedence::kRange + 1);
    return;
  }
  put("(");
  if (e.query) {
    query(*e.query);
  } else {
    expressions(e.list);
  }
  put(")");
}

void Deparser::like(const Like& e) {
  operand(*e.operand, precedence::kRange + 1);
  if (e.negated) put(" NOT");
  put(e.form == Like::Form::kLike ? " LIKE " : e.form == Like::Form::kILike ? " ILIKE " : " SIMILAR TO ");
  operand(*e.pattern, precedence::kRange + 1);
  if (e.escape) {
    put(" ESCAPE ");
    operand(*e.escape, precedence::kRange + 1);
  }
}

void Deparser::is(const Is& e) {
  operand(*e.operand, precedence::kIs + 1);
  put(e.negated ? " IS NOT " : " IS ");
  switch (e.test) {
    case Is::Test::kNull: put("NULL"); return;
    case Is::Test::kTrue: put("TRUE"); return;
    case Is::Test::kFalse: put("FALSE"); return;
    case Is::Test::kUnknown: put("UNKNOWN"); return;
    case Is::Test::kDistinctFrom:
      put("DISTINCT FROM ");
      operand(*e.right, precedence::kIs + 1);
      return;
    case Is::Test::kDocument: put("DOCUMENT"); return;
    case Is::Test::kNormalized: put("NORMALIZED"); return;
  }
}

void Deparser::case_expression(const Case& e) {
  put("CASE");
  if (e.operand) {
    put(" ");
    expression(*e.operand);
  }
  for (const Case::When& when : e.whens) {
    put(" WHEN ");
    expression(*when.condition);
    put(" THEN ");
    expression(*when.result);
  }
  if (e.otherwise) {
    put(" ELSE ");
    expression(*e.otherwise);
  }
  put(" END");
}

void Deparser::subscript(const Subscript& e) {
  const ExpressionKind kind = e.operand->kind;
  const bool bare = kind == ExpressionKind::kColumnRef || kind == ExpressionKind::kSubscript ||
                    kind == ExpressionKind::kParameter || kind == ExpressionKind::kFieldSelect;
  if (!bare) put("(");
  expression(*e.operand);
  put(bare ? "[" : ")[");
  if (e.slice) {
    if (e.low) expression(*e.low);
    put(":");
    if (e.high) expression(*e.high);
  } else {
    expression(*e.index);
  }
  put("]");
}

void Deparser::array_items(const Array& e) {
  put("[");
  list(e.items, [this](const ExpressionPtr& item) {
    if (item->kind == ExpressionKind::kArray) {
      array_items(as<Array>(*item));
    } else {
      expression(*item);
    }
  });
  put("]");
}

// ---- functions

void Deparser::function_name(const FunctionCall& e) {
  if (e.name.size() == 1 && e.name[0].quoted) {
    word(e.name[0].text);
  } else {
    dotted(e.name);
  }
}

void Deparser::function(const FunctionCall& e) {
  if (e.bare_keyword) {
    put(upper_case(e.function()));
    if (!e.arguments.empty()) {
      put("(");
      expressions(e.arguments);
      put(")");
    }
    return;
  }
  if (e.sql_syntax && e.function() == "extract" && e.arguments.size() == 2) {
    put("EXTRACT(");
    const auto* field = try_as<Literal>(e.arguments[0].get());
    if (field != nullptr && quote_identifier(field->text) == field->text) {
      put(field->text);
    } else if (field != nullptr && find_keyword(field->text) != Keyword::kNotKeyword) {
      put(fold_identifier(field->text));
    } else {
      expression(*e.arguments[0]);
    }
    put(" FROM ");
    expression(*e.arguments[1]);
    put(")");
  } else if (e.sql_syntax && e.function() == "position" && e.arguments.size() == 2) {
    put("POSITION(");
    operand(*e.arguments[1], precedence::kRange + 1);
    put(" IN ");
    operand(*e.arguments[0], precedence::kRange + 1);
    put(")");
  } else {
    function_name(e);
    put("(");
    if (e.distinct) put("DISTINCT ");
    if (e.star) put("*");
    for (size_t i = 0; i < e.arguments.size(); ++i) {
      if (i > 0) put(", ");
      if (e.variadic && i + 1 == e.arguments.size()) put("VARIADIC ");
      if (i < e.argument_names.size() && !e.argument_names[i].empty()) {
        name(e.argument_names[i]);
        put(" => ");
      }
      expression(*e.arguments[i]);
    }
    if (!e.order_by.empty() && !e.within_group) {
      put(" ORDER BY ");
      order_items(e.order_by);
    }
    put(")");
  }
  if (e.within_group) {
    put(" WITHIN GROUP (ORDER BY ");
    order_items(e.order_by);
    put(")");
  }
  if (e.filter) {
    put(" FILTER (WHERE ");
    expression(*e.filter);
    put(")");
  }
  if (e.ignore_nulls) put(" IGNORE NULLS");
  if (e.over) {
    put(" OVER ");
    if (e.over->bare_reference) {
      name(e.over->reference);
    } else {
      window(*e.over);
    }
  }
}

void Deparser::window(const WindowSpec& w) {
  put("(");
  const char* separator = "";
  if (!w.reference.empty()) {
    name(w.reference);
    separator = " ";
  }
  if (!w.partition_by.empty()) {
    put(separator);
    put("PARTITION BY ");
    expressions(w.partition_by);
    separator = " ";
  }
  if (!w.order_by.empty()) {
    put(separator);
    put("ORDER BY ");
    order_items(w.order_by);
    separator = " ";
  }
  if (w.frame) {
    put(separator);
    const WindowFrame& f = *w.frame;
    put(f.unit == WindowFrame::Unit::kRows    ? "ROWS"
        : f.unit == WindowFrame::Unit::kRange ? "RANGE"
                                              : "GROUPS");
    put(" BETWEEN ");
    frame_bound(f.start);
    put(" AND ");
    frame_bound(f.end);
    if (f.exclude == WindowFrame::Exclude::kCurrentRow) put(" EXCLUDE CURRENT ROW");
    if (f.exclude == WindowFrame::Exclude::kGroup) put(" EXCLUDE GROUP");
    if (f.exclude == WindowFrame::Exclude::kTies) put(" EXCLUDE TIES");
  }
  put(")");
}

void Deparser::frame_bound(const FrameBound& bound) {
  using Kind = FrameBound::Kind;
  switch (bound.kind) {
    case Kind::kUnboundedPreceding: put("UNBOUNDED PRECEDING"); return;
    case Kind::kUnboundedFollowing: put("UNBOUNDED FOLLOWING"); return;
    case Kind::kCurrentRow: put("CURRENT ROW"); return;
    case Kind::kPreceding:
    case Kind::kFollowing:
      operand(*bound.offset, precedence::kOther);
      put(bound.kind == Kind::kPreceding ? " PRECEDING" : " FOLLOWING");
      return;
  }
}

void Deparser::order_items(const std::vector<OrderItem>& items) {
  list(items, [this](const OrderItem& item) {
    expression(*item.expression);
    if (item.direction == OrderItem::Direction::kAscending) put(" ASC");
    if (item.direction == OrderItem::Direction::kDescending) put(" DESC");
    if (!item.using_operator.empty()) {
      put(" USING ");
      put(item.using_operator);
    }
    if (item.nulls == OrderItem::Nulls::kFirst) put(" NULLS FIRST");
    if (item.nulls == OrderItem::Nulls::kLast) put(" NULLS LAST");
  });
}

}  // namespace idem::parser
