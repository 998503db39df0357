#include "query/execution.h"

#include <algorithm>

#include "common/error.h"
#include "query/morsel_gather.h"
#include "query/plan_builder.h"

namespace idem {

namespace {

// A running query. Operators are built at once; everything else happens in next(), so that its errors come
// out there.
class PlanStream final : public ResultStream {
 public:
  PlanStream(const BoundQuery& query, std::shared_ptr<ExecutionContext> context,
             const std::vector<Value>& parameters)
      : context_(std::move(context)), plan_(query.plan), init_plans_(query.init_plans) {
    state_.context = context_.get();
    state_.slots = parameters;
    state_.slots.resize(std::max<size_t>(query.slot_count, parameters.size()));
    root_ = PlanBuilder(run_, context_->profile).build(*plan_);
  }

  ~PlanStream() override { release(); }

  bool next(DataChunk* chunk) override {
    if (ended_) return false;
    try {
      if (!gather_) start();
      if (gather_->next(chunk)) return true;
    } catch (...) {
      release();
      throw;
    }
    release();
    return false;
  }

  const std::vector<PlanColumn>& columns() const override { return plan_->columns; }

 private:
  void start() {
    if (context_->cancel) context_->cancel->check();
    for (const auto& [slot, plan] : init_plans_) state_.slots[slot] = value_of(*plan);
    ++run_.number;
    root_->start(state_);
    gather_ = std::make_unique<MorselGather>(*root_, state_);
  }

  Value value_of(const LogicalPlan& plan) {
    Value value = Value::null(plan.columns[0].type);
    uint64_t rows = 0;
    execute_plan_inline(plan, state_, [&](DataChunk& chunk) {
      rows += chunk.count();
      if (rows > 1) {
        throw sql_error(sqlstate::kCardinalityViolation,
                        "more than one row returned by a subquery used as an expression");
      }
      value = chunk.columns[0].value_at(chunk.selection[0]);
      return true;
    });
    return value;
  }

  // Ends threads, and gives memory back before the reader drops the stream.
  void release() {
    ended_ = true;
    gather_.reset();
    root_.reset();
    run_.shared.clear();
  }

  std::shared_ptr<ExecutionContext> context_;
  PlanPtr plan_;
  std::vector<std::pair<uint32_t, PlanPtr>> init_plans_;
  EvaluationState state_;
  PlanRun run_;
  OperatorPtr root_;
  std::unique_ptr<MorselGather> gather_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<ResultStream> execute(const BoundQuery& query, std::shared_ptr<ExecutionContext> context,
                                      const std::vector<Value>& parameters) {
  return std::make_unique<PlanStream>(query, std::move(context), parameters);
}

}  // namespace idem
