#include <algorithm>

#include "common/error.h"
#include "query/expression_evaluator.h"
#include "query/optimizer.h"
#include "query/plan_walk.h"
#include "query/record_functions.h"

namespace idem::optimizer {

namespace {

BoundPtr boolean(bool value) { return BoundExpression::constant(Value::of_bool(value)); }

bool is_true(const BoundPtr& e) { return e->is_constant() && !e->value.is_null() && e->value.as_bool(); }
bool is_false(const BoundPtr& e) { return e->is_constant() && !e->value.is_null() && !e->value.as_bool(); }

void fold_logical(BoundPtr& e) {
  const bool is_and = e->kind == BoundKind::kAnd;
  std::vector<BoundPtr> parts;
  for (BoundPtr& child : e->children) {
    if (child->kind == e->kind) {
      for (BoundPtr& inner : child->children) parts.push_back(std::move(inner));
    } else {
      parts.push_back(std::move(child));
    }
  }
  for (const BoundPtr& part : parts) {
    if (is_and ? is_false(part) : is_true(part)) {
      e = boolean(!is_and);
      return;
    }
  }
  std::erase_if(parts, is_and ? is_true : is_false);
  if (parts.empty()) {
    e = boolean(is_and);
  } else if (parts.size() == 1) {
    BoundPtr only = std::move(parts[0]);
    e = std::move(only);
  } else {
    e->children = std::move(parts);
  }
}

void fold_case(BoundPtr& e) {
  std::vector<BoundPtr> kept;
  for (size_t i = 0; i + 1 < e->children.size(); i += 2) {
    const BoundPtr& condition = e->children[i];
    if (condition->is_constant()) {
      if (!is_true(condition)) continue;
      kept.push_back(std::move(e->children[i + 1]));
      e->children.clear();
      break;
    }
    kept.push_back(std::move(e->children[i]));
    kept.push_back(std::move(e->children[i + 1]));
  }
  if (!e->children.empty()) kept.push_back(std::move(e->children.back()));
  if (kept.size() == 1) {
    BoundPtr only = std::move(kept[0]);
    e = std::move(only);
  } else {
    e->children = std::move(kept);
  }
}

}  // namespace

void fold_expression(BoundPtr& e, Planning& planning) {
  for (BoundPtr& child : e->children) fold_expression(child, planning);
  for (auto& [slot, value] : e->correlated) fold_expression(value, planning);
  if (e->is_constant()) return;
  switch (e->kind) {
    case BoundKind::kAnd:
    case BoundKind::kOr: fold_logical(e); break;
    case BoundKind::kCase: fold_case(e); break;
    case BoundKind::kNot:
      if (e->children[0]->kind == BoundKind::kNot) {
        BoundPtr inner = std::move(e->children[0]->children[0]);
        e = std::move(inner);
      }
      break;
    case BoundKind::kCoalesce: {
      std::erase_if(e->children, [](const BoundPtr& c) { return c->is_constant() && c->value.is_null(); });
      for (size_t i = 0; i < e->children.size(); i++) {
        if (e->children[i]->is_constant()) e->children.resize(i + 1);
      }
      if (e->children.empty()) {
        e = BoundExpression::constant(Value::null(e->type));
      } else if (e->children.size() == 1) {
        BoundPtr only = std::move(e->children[0]);
        e = std::move(only);
      }
      break;
    }
    case BoundKind::kCall: {
      if (take_known_field(e)) return;
      const auto is_null = [](const BoundPtr& c) { return c->is_constant() && c->value.is_null(); };
      if (e->function->strict && std::any_of(e->children.begin(), e->children.end(), is_null)) {
        e = BoundExpression::constant(Value::null(e->type));
        return;
      }
      break;
    }
    default: break;
  }
  if (e->is_constant() || !is_foldable(*e)) return;
  EvaluationState state;
  state.context = planning.context;
  try {
    BoundPtr constant = BoundExpression::constant(evaluate_constant(state, *e));
    constant->type = e->type;
    constant->position = e->position;
    e = std::move(constant);
  } catch (const SqlError&) {
    // 1/0 fails when, and only when, a row gets there.
    return;
  }
}

void fold_constants(LogicalPlan& plan, Planning& planning) {
  if (plan.kind != PlanKind::kMaterialize) {
    for (const PlanPtr& child : plan.children) fold_constants(*child, planning);
  }
  for_each_expression(plan, [&](BoundPtr& e) { fold_expression(e, planning); });
  if (plan.join_condition && is_true(plan.join_condition)) plan.join_condition.reset();
}

}  // namespace idem::optimizer
