#include "query/logical_plan.h"

namespace idem {

PlanPtr optimize(PlanPtr plan, ExecutionContext*) { return plan; }

}  // namespace idem
