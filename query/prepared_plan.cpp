#include "query/prepared_plan.h"

#include "query/plan_builder.h"
#include "query/range_reader.h"

namespace idem {

struct PreparedPlan::Inner {
  std::shared_ptr<const LogicalPlan> plan;
  PlanRun run;
  OperatorPtr root;
  EvaluationState* opened_for = nullptr;  // the state that `stream` reads
  std::unique_ptr<MorselStream> stream;
};

PreparedPlan::PreparedPlan(std::shared_ptr<const LogicalPlan> plan, ExecutionContext& context)
    : inner_(std::make_unique<Inner>()) {
  inner_->plan = std::move(plan);
  inner_->root = PlanBuilder(inner_->run, context.profile).build(*inner_->plan);
}

PreparedPlan::~PreparedPlan() = default;

void PreparedPlan::run(EvaluationState& state, const std::function<bool(DataChunk&)>& consume) {
  Inner& inner = *inner_;
  ++inner.run.number;
  inner.root->start(state);
  if (!inner.stream || inner.opened_for != &state) {
    inner.stream = inner.root->open(state);
    inner.opened_for = &state;
  }
  RangeReader reader(*inner.stream, state);
  reader.set_range(0, inner.root->morsel_count());
  DataChunk chunk;
  while (reader.next(&chunk)) {
    if (!consume(chunk)) return;
  }
}

void execute_plan_inline(const LogicalPlan& plan, EvaluationState& state,
                         const std::function<bool(DataChunk&)>& consume) {
  // The plan is only borrowed for the call.
  PreparedPlan(std::shared_ptr<const LogicalPlan>(std::shared_ptr<void>(), &plan), *state.context)
      .run(state, consume);
}

}  // namespace idem
