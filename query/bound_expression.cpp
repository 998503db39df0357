#include "query/bound_expression.h"

#include <algorithm>
#include <cctype>

#include "common/error.h"
#include "query/logical_plan.h"
#include "query/record_functions.h"

namespace idem {

namespace {

bool equal_values(const Value& a, const Value& b) {
  if (a.type() != b.type() || a.is_null() != b.is_null()) return false;
  if (a.is_null()) return true;
  switch (physical_type(a.type())) {
    case PhysicalType::kFloat:
    case PhysicalType::kDouble: {
      const double x = a.as_double(), y = b.as_double();
      return std::memcmp(&x, &y, sizeof x) == 0;
    }
    case PhysicalType::kDecimal:
      return a.as_decimal().value == b.as_decimal().value && a.as_decimal().scale == b.as_decimal().scale;
    case PhysicalType::kInterval:
      return a.as_interval().micros == b.as_interval().micros &&
             a.as_interval().days == b.as_interval().days && a.as_interval().months == b.as_interval().months;
    case PhysicalType::kUuid: return a.as_uuid() == b.as_uuid();
    case PhysicalType::kString: return a.as_string() == b.as_string();
    default:
      return a.type().id == TypeId::kSymbol ? a.as_string() == b.as_string() : a.as_int() == b.as_int();
  }
}

bool equal_pointers(const BoundPtr& a, const BoundPtr& b) {
  if (!a || !b) return !a && !b;
  return a->equals(*b);
}

}  // namespace

BoundPtr BoundExpression::column(uint32_t index, SqlType type) {
  auto e = std::make_unique<BoundExpression>();
  e->kind = BoundKind::kColumn;
  e->index = index;
  e->type = type;
  return e;
}

BoundPtr BoundExpression::constant(Value value) {
  auto e = std::make_unique<BoundExpression>();
  e->kind = BoundKind::kConstant;
  e->type = value.type();
  e->value = std::move(value);
  return e;
}

BoundPtr BoundExpression::slot(uint32_t index, SqlType type) {
  auto e = std::make_unique<BoundExpression>();
  e->kind = BoundKind::kSlot;
  e->index = index;
  e->type = type;
  return e;
}

BoundPtr BoundExpression::call(const ResolvedCall& call, std::vector<BoundPtr> children) {
  auto e = std::make_unique<BoundExpression>();
  e->kind = BoundKind::kCall;
  e->type = call.types.result;
  e->function = call.function;
  e->call_types = call.types;
  e->children = std::move(children);
  return e;
}

BoundPtr BoundExpression::make(BoundKind kind, SqlType type, std::vector<BoundPtr> children) {
  auto e = std::make_unique<BoundExpression>();
  e->kind = kind;
  e->type = type;
  e->children = std::move(children);
  return e;
}

BoundPtr BoundExpression::clone() const {
  auto e = std::make_unique<BoundExpression>();
  e->kind = kind;
  e->type = type;
  e->position = position;
  e->index = index;
  e->value = value;
  e->shape = shape;
  e->function = function;
  e->call_types = call_types;
  e->children.reserve(children.size());
  for (const BoundPtr& child : children) e->children.push_back(child->clone());
  e->subquery_kind = subquery_kind;
  e->subquery = subquery;
  for (const auto& [slot_index, expression] : correlated)
    e->correlated.emplace_back(slot_index, expression->clone());
  if (comparison) e->comparison = comparison->clone();
  return e;
}

bool BoundExpression::equals(const BoundExpression& other) const {
  if (kind != other.kind || type != other.type || index != other.index || function != other.function ||
      subquery_kind != other.subquery_kind || subquery != other.subquery ||
      children.size() != other.children.size() || correlated.size() != other.correlated.size()) {
    return false;
  }
  if (kind == BoundKind::kConstant && !equal_values(value, other.value)) return false;
  if (kind == BoundKind::kCall &&
      (call_types.result != other.call_types.result || call_types.arguments != other.call_types.arguments ||
       function->volatility == Volatility::kVolatile)) {
    return false;
  }
  for (size_t i = 0; i < children.size(); ++i) {
    if (!children[i]->equals(*other.children[i])) return false;
  }
  for (size_t i = 0; i < correlated.size(); ++i) {
    if (correlated[i].first != other.correlated[i].first ||
        !equal_pointers(correlated[i].second, other.correlated[i].second)) {
      return false;
    }
  }
  return equal_pointers(comparison, other.comparison);
}

bool equal_expressions(const std::vector<BoundPtr>& a, const std::vector<BoundPtr>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const BoundPtr& x, const BoundPtr& y) { return x->equals(*y); });
}

bool equal_aggregates(const BoundAggregate& a, const BoundAggregate& b) {
  if (a.function != b.function || a.distinct != b.distinct || !equal_expressions(a.arguments, b.arguments))
    return false;
  if (!a.filter != !b.filter || (a.filter && !a.filter->equals(*b.filter))) return false;
  return std::equal(a.order_by.begin(), a.order_by.end(), b.order_by.begin(), b.order_by.end(),
                    [](const BoundAggregate::Order& x, const BoundAggregate::Order& y) {
                      return x.descending == y.descending && x.nulls_first == y.nulls_first &&
                             x.expression->equals(*y.expression);
                    });
}

void for_each_column(const BoundExpression& expression, const std::function<void(uint32_t)>& fn) {
  if (expression.kind == BoundKind::kColumn) fn(expression.index);
  for (const BoundPtr& child : expression.children) for_each_column(*child, fn);
  for (const auto& [slot_index, correlated] : expression.correlated) for_each_column(*correlated, fn);
}

void remap_columns(BoundExpression& expression, const std::function<uint32_t(uint32_t)>& new_index) {
  if (expression.kind == BoundKind::kColumn) expression.index = new_index(expression.index);
  for (const BoundPtr& child : expression.children) remap_columns(*child, new_index);
  for (auto& [slot_index, correlated] : expression.correlated) remap_columns(*correlated, new_index);
}

bool is_foldable(const BoundExpression& expression) {
  switch (expression.kind) {
    case BoundKind::kColumn:
    case BoundKind::kSlot:
    case BoundKind::kSubquery: return false;
    case BoundKind::kCall:
      if (expression.function->volatility != Volatility::kImmutable) return false;
      break;
    default: break;
  }
  return std::all_of(expression.children.begin(), expression.children.end(),
                     [](const BoundPtr& child) { return is_foldable(*child); });
}

namespace {

class TextWriter {
 public:
  explicit TextWriter(const std::vector<std::string>& names) : names_(names) {}

  std::string write(const BoundExpression& e) const {
    switch (e.kind) {
      case BoundKind::kColumn:
        return e.index < names_.size() ? names_[e.index] : fmt::format("column{}", e.index + 1);
      case BoundKind::kConstant: return constant(e.value);
      case BoundKind::kSlot: return fmt::format("${}", e.index + 1);
      case BoundKind::kCall: return call(e);
      case BoundKind::kAnd: return joined(e.children, " AND ");
      case BoundKind::kOr: return joined(e.children, " OR ");
      case BoundKind::kNot: return fmt::format("(NOT {})", write(*e.children[0]));
      case BoundKind::kIsNull: return fmt::format("({} IS NULL)", write(*e.children[0]));
      case BoundKind::kIsDistinct:
        return fmt::format("({} IS DISTINCT FROM {})", write(*e.children[0]), write(*e.children[1]));
      case BoundKind::kCase: return case_text(e);
      case BoundKind::kCoalesce: return fmt::format("COALESCE({})", list(e.children, 0));
      case BoundKind::kInList: return fmt::format("({} IN ({}))", write(*e.children[0]), list(e.children, 1));
      case BoundKind::kSubquery: return subquery(e);
    }
    return {};
  }

 private:
  static std::string constant(const Value& value) {
    if (value.is_null()) return "NULL";
    if (value.type().id == TypeId::kBoolean) return value.as_bool() ? "true" : "false";
    EvaluationState state;
    const std::string text =
        value.type().id == TypeId::kText
            ? value.as_string()
            : cast_value(state, value, TypeId::kText, CastContext::kExplicit).as_string();
    if (is_numeric(value.type().id)) return text;
    std::string quoted = "'";
    for (const char c : text) {
      quoted += c;
      if (c == '\'') quoted += c;
    }
    quoted += '\'';
    const TypeId id = value.type().id;
    if (id != TypeId::kText && id != TypeId::kUnknown && id != TypeId::kSymbol)
      quoted += "::" + format_type(value.type());
    return quoted;
  }

  std::string call(const BoundExpression& e) const {
    const std::string& name = e.function->name;
    if (name == "cast") return relabelled(e);
    if (e.function == &record_field_function()) return record_field(e);
    const bool is_operator =
        !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) == 0 && name[0] != '_';
    if (is_operator && e.children.size() == 2) {
      return fmt::format("({} {} {})", write(*e.children[0]), name, write(*e.children[1]));
    }
    if (is_operator && e.children.size() == 1) return fmt::format("({} {})", name, write(*e.children[0]));
    if ((name == "any_of" || name == "all_of") && e.children.size() == 3 && e.children[0]->is_constant()) {
      return fmt::format("({} {} {} ({}))", write(*e.children[1]), e.children[0]->value.as_string(),
                         name == "any_of" ? "ANY" : "ALL", write(*e.children[2]));
    }
    return fmt::format("{}({})", name, list(e.children, 0));
  }

  std::string record_field(const BoundExpression& e) const {
    const auto field = static_cast<size_t>(e.children[1]->value.as_int());
    const RecordShapePtr& shape = e.children[0]->shape;
    return fmt::format("({}).{}", write(*e.children[0]),
                       shape ? shape->fields[field].name : std::to_string(field));
  }

  std::string relabelled(const BoundExpression& e) const {
    const BoundExpression& child = *e.children[0];
    if (e.function->kernel == nullptr && is_string_like(child.type.id) && is_string_like(e.type.id))
      return write(child);
    const std::string text = write(child);
    const bool is_plain = child.is_column() || child.is_constant();
    return (is_plain ? text : "(" + text + ")") + "::" + format_type(e.type);
  }

  std::string case_text(const BoundExpression& e) const {
    std::string text = "CASE";
    for (size_t i = 0; i + 1 < e.children.size(); i += 2) {
      text += " WHEN " + write(*e.children[i]) + " THEN " + write(*e.children[i + 1]);
    }
    if (e.children.size() % 2 == 1) text += " ELSE " + write(*e.children.back());
    return text + " END";
  }

  std::string subquery(const BoundExpression& e) const {
    switch (e.subquery_kind) {
      case SubqueryKind::kScalar: return "(SubPlan)";
      case SubqueryKind::kExists: return "EXISTS(SubPlan)";
      case SubqueryKind::kAny: return fmt::format("({} ANY (SubPlan))", write(*e.children[0]));
      case SubqueryKind::kAll: return fmt::format("({} ALL (SubPlan))", write(*e.children[0]));
      case SubqueryKind::kArray: return "ARRAY(SubPlan)";
    }
    return {};
  }

  std::string list(const std::vector<BoundPtr>& items, size_t first) const {
    std::string text;
    for (size_t i = first; i < items.size(); ++i) {
      if (i > first) text += ", ";
      text += write(*items[i]);
    }
    return text;
  }

  std::string joined(const std::vector<BoundPtr>& items, std::string_view separator) const {
    std::string text = "(";
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) text += separator;
      text += write(*items[i]);
    }
    return text + ")";
  }

  const std::vector<std::string>& names_;
};

}  // namespace

std::string expression_text(const BoundExpression& expression, const std::vector<std::string>& column_names) {
  return TextWriter(column_names).write(expression);
}

}  // namespace idem
