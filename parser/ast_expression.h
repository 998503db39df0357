#pragma once

#include "parser/ast_node.h"

namespace idem::ast {

enum class ExpressionKind : uint8_t {
  kLiteral,
  kTypedLiteral,
  kParameter,
  kColumnRef,
  kStar,
  kFunctionCall,
  kOperator,
  kLogical,
  kNot,
  kQuantified,
  kIn,
  kBetween,
  kLike,
  kIs,
  kCase,
  kCast,
  kSubquery,
  kRow,
  kArray,
  kSubscript,
  kFieldSelect,
  kCollate,
  kAtTimeZone,
  kDefault,
};

struct Query;  // ast_query.h

struct Expression {
  const ExpressionKind kind;
  uint32_t position = 0;  // of operators: that of the operator symbol; of everything else: of its first token

  virtual ~Expression();
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;

 protected:
  explicit Expression(ExpressionKind k) : kind(k) {}
};

using ExpressionPtr = std::unique_ptr<Expression>;
using ExpressionList = std::vector<ExpressionPtr>;

enum class LiteralKind : uint8_t {
  kNull,
  kBoolean,
  kInteger,    // fits an int64; `integer` holds it
  kDecimal,    // digits with point or exponent, or an integer beyond int64; `text` as written
  kString,     // escapes and doubled quotes resolved
  kBitString,  // B'0101': `text` is "b0101"; X'1F': "x1F"
};

struct Literal final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kLiteral;
  Literal() : Expression(kKind) {}
  LiteralKind literal = LiteralKind::kNull;
  bool boolean = false;
  int64_t integer = 0;
  std::string text;
};

// TIMESTAMP '2024-01-15', INTERVAL '1' DAY (type.interval_fields "day"), pg_catalog.int4 '5'.
struct TypedLiteral final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kTypedLiteral;
  TypedLiteral() : Expression(kKind) {}
  TypeName type;
  std::string text;
};

struct Parameter final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kParameter;
  Parameter() : Expression(kKind) {}
  uint32_t number = 0;  // $1 is 1
};

// column, table.column, schema.table.column, database.schema.table.column
struct ColumnRef final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kColumnRef;
  ColumnRef() : Expression(kKind) {}
  std::vector<Identifier> parts;
};

// * or table.*; also (expr).* with `of`. Only where PostgreSQL allows it: select lists, RETURNING,
// count(t.*), ROW(t.*).
struct Star final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kStar;
  Star() : Expression(kKind) {}
  std::vector<Identifier> qualifier;
  ExpressionPtr of;
};

struct OrderItem {
  enum class Direction : uint8_t { kDefault, kAscending, kDescending };
  enum class Nulls : uint8_t { kDefault, kFirst, kLast };
  ExpressionPtr expression;
  Direction direction = Direction::kDefault;
  Nulls nulls = Nulls::kDefault;
  std::string using_operator;  // ORDER BY x USING >: ">" , else empty
};

struct FrameBound {
  enum class Kind : uint8_t { kUnboundedPreceding, kPreceding, kCurrentRow, kFollowing, kUnboundedFollowing };
  Kind kind = Kind::kUnboundedPreceding;
  ExpressionPtr offset;  // kPreceding, kFollowing
};

struct WindowFrame {
  enum class Unit : uint8_t { kRows, kRange, kGroups };
  enum class Exclude : uint8_t { kNoOthers, kCurrentRow, kGroup, kTies };
  Unit unit = Unit::kRange;
  FrameBound start, end;  // end is kCurrentRow where BETWEEN was not written
  Exclude exclude = Exclude::kNoOthers;
};

// OVER name: only `reference`, `bare_reference` true. OVER (name PARTITION BY …): `reference` is what it
// extends.
struct WindowSpec {
  Identifier reference;
  bool bare_reference = false;
  ExpressionList partition_by;
  std::vector<OrderItem> order_by;
  std::unique_ptr<WindowFrame> frame;  // null: the default frame
  uint32_t position = 0;
};

// f(a, b), also what the grammar spells in words, under PostgreSQL's function names and argument order:
//   EXTRACT(hour FROM x)           extract('hour', x)
//   POSITION(a IN b)               position(b, a)
//   SUBSTRING(x FROM a FOR b)      substring(x, a, b)        SUBSTRING(x SIMILAR p ESCAPE e): substring(x, p,
//   e) OVERLAY(x PLACING y FROM a)    overlay(x, y, a) TRIM(LEADING c FROM x)         ltrim(x, c); TRAILING
//   rtrim; BOTH or nothing btrim COALESCE, NULLIF, GREATEST, LEAST, GROUPING: plain calls CURRENT_TIMESTAMP &
//   co, USER:  `bare_keyword` true, no arguments (CURRENT_TIMESTAMP(3) has one)
struct FunctionCall final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kFunctionCall;
  FunctionCall() : Expression(kKind) {}
  std::vector<Identifier> name;  // schema parts first
  ExpressionList arguments;
  std::vector<Identifier>
      argument_names;  // empty, or as long as arguments: f(a, b => 1); empty text where positional
  bool distinct = false;
  bool star = false;          // count(*)
  bool variadic = false;      // the last argument is VARIADIC
  bool within_group = false;  // order_by is that of WITHIN GROUP
  bool ignore_nulls = false;  // lag(x) IGNORE NULLS
  bool bare_keyword = false;
  bool sql_syntax =
      false;  // was spelt in words, e.g. EXTRACT(… FROM …); name is PostgreSQL's function for it
  std::vector<OrderItem> order_by;
  ExpressionPtr filter;
  std::unique_ptr<WindowSpec> over;

  const std::string& function() const { return name.back().text; }
};

// left op right; prefix operators have no left. Comparisons (= <> < <= > >=) are operators too; != is given
// as <>.
struct Operator final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kOperator;
  Operator() : Expression(kKind) {}
  std::string symbol;
  std::string schema;  // OPERATOR(pg_catalog.~): "pg_catalog"
  ExpressionPtr left, right;
};

// a AND b AND c is one node with three operands.
struct Logical final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kLogical;
  Logical() : Expression(kKind) {}
  bool is_and = true;
  ExpressionList operands;
};

struct Not final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kNot;
  Not() : Expression(kKind) {}
  ExpressionPtr operand;
};

// left op ANY|SOME|ALL (array | query): exactly one of `array` and `query` is set. LIKE ANY has symbol "~~"
// or "~~*", negated "!~~" and "!~~*".
struct Quantified final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kQuantified;
  Quantified();
  ~Quantified() override;
  std::string symbol, schema;
  bool all = false;
  ExpressionPtr left, array;
  std::unique_ptr<Query> query;
};

// left [NOT] IN (list | query). `ts IN '2024-01'` (an interval string without parentheses) is a list of one
// with `interval_string` true.
struct In final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kIn;
  In();
  ~In() override;
  bool negated = false;
  bool interval_string = false;
  ExpressionPtr left;
  ExpressionList list;
  std::unique_ptr<Query> query;
};

struct Between final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kBetween;
  Between() : Expression(kKind) {}
  bool negated = false;
  bool symmetric = false;
  ExpressionPtr operand, low, high;
};

// The operators ~~ and ~~* are Operator nodes; these are the words.
struct Like final : Expression {
  enum class Form : uint8_t { kLike, kILike, kSimilarTo };
  static constexpr ExpressionKind kKind = ExpressionKind::kLike;
  Like() : Expression(kKind) {}
  Form form = Form::kLike;
  bool negated = false;
  ExpressionPtr operand, pattern, escape;  // escape may be null
};

// ISNULL and NOTNULL are kNull.
struct Is final : Expression {
  enum class Test : uint8_t { kNull, kTrue, kFalse, kUnknown, kDistinctFrom, kDocument, kNormalized };
  static constexpr ExpressionKind kKind = ExpressionKind::kIs;
  Is() : Expression(kKind) {}
  Test test = Test::kNull;
  bool negated = false;
  ExpressionPtr operand, right;  // right: of DISTINCT FROM only
};

struct Case final : Expression {
  struct When {
    ExpressionPtr condition, result;
  };
  static constexpr ExpressionKind kKind = ExpressionKind::kCase;
  Case() : Expression(kKind) {}
  ExpressionPtr operand;  // CASE operand WHEN value …; may be null
  std::vector<When> whens;
  ExpressionPtr otherwise;  // may be null
};

struct Cast final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kCast;
  Cast() : Expression(kKind) {}
  ExpressionPtr operand;
  TypeName type;
};

struct Subquery final : Expression {
  enum class Form : uint8_t { kScalar, kExists, kArray };
  static constexpr ExpressionKind kKind = ExpressionKind::kSubquery;
  Subquery();
  ~Subquery() override;
  Form form = Form::kScalar;
  std::unique_ptr<Query> query;
};

// ROW(a, b) or (a, b)
struct Row final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kRow;
  Row() : Expression(kKind) {}
  ExpressionList items;
  bool explicit_row = false;  // the word ROW was written
};

// ARRAY[a, b]; inner brackets of ARRAY[[1,2],[3,4]] are Array nodes too.
struct Array final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kArray;
  Array() : Expression(kKind) {}
  ExpressionList items;
};

// operand[index] or operand[low:high], either bound of a slice may be missing.
struct Subscript final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kSubscript;
  Subscript() : Expression(kKind) {}
  ExpressionPtr operand;
  bool slice = false;
  ExpressionPtr index;      // not a slice
  ExpressionPtr low, high;  // a slice
};

// (expr).field; a.b without parentheses is a ColumnRef.
struct FieldSelect final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kFieldSelect;
  FieldSelect() : Expression(kKind) {}
  ExpressionPtr operand;
  Identifier field;
};

struct Collate final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kCollate;
  Collate() : Expression(kKind) {}
  ExpressionPtr operand;
  std::vector<Identifier> collation;
};

struct AtTimeZone final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kAtTimeZone;
  AtTimeZone() : Expression(kKind) {}
  ExpressionPtr operand, zone;
};

// DEFAULT as a value of INSERT, UPDATE or MERGE.
struct DefaultValue final : Expression {
  static constexpr ExpressionKind kKind = ExpressionKind::kDefault;
  DefaultValue() : Expression(kKind) {}
};

}  // namespace idem::ast
