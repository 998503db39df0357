#include <array>

#include "common/array_value.h"
#include "common/error.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/string_kernels.h"

namespace idem {

namespace {

SqlType plain_type(SqlType type) {
  if (type.id == TypeId::kSymbol) return TypeId::kVarchar;
  return type;
}

// greatest, least: of one common type; NULLs do not count.
bool bind_common(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.empty()) return false;
  std::vector<SqlType> plain;
  for (const SqlType type : arguments) plain.push_back(plain_type(type));
  const SqlType common = common_type(plain, "GREATEST");
  types->arguments.assign(arguments.size(), common);
  types->result = common;
  return true;
}

int order(SqlType type, const void* a, const void* b) {
  if (type.id == TypeId::kArray) {
    return compare_arrays(*static_cast<const std::string_view*>(a), *static_cast<const std::string_view*>(b));
  }
  return compare_elements(type.id, a, b);
}

template <bool kGreatest>
void extreme_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                    uint32_t size, Selection selection, Vector* result) {
  const size_t width = physical_size(physical_type(types.result));
  auto* out = static_cast<char*>(result->allocate(types.result, size));
  const bool is_text = physical_type(types.result) == PhysicalType::kString;
  KernelCall call{state, types, arguments};
  kernel_detail::NullMarker nulls(result, size);
  for (uint32_t i = 0; i < selection.count; ++i) {
    call.row = selection[i];
    const void* best = nullptr;
    for (size_t a = 0; a < arguments.size(); ++a) {
      if (!call.is_valid(a)) continue;
      const void* candidate = call.element(a);
      if (best == nullptr ||
          (kGreatest ? order(types.result, candidate, best) > 0 : order(types.result, candidate, best) < 0)) {
        best = candidate;
      }
    }
    char* to = out + width * call.row;
    if (best == nullptr) {
      std::memset(to, 0, width);
      nulls.mark(call.row);
    } else if (is_text) {
      const std::string_view kept = result->store_string(*static_cast<const std::string_view*>(best));
      std::memcpy(to, &kept, sizeof kept);
    } else {
      std::memcpy(to, best, width);
    }
  }
}

// nullif(a, b): the types need an equality; the result has a's type.
bool bind_nullif(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2) return false;
  const std::array<SqlType, 2> pair = {plain_type(arguments[0]), plain_type(arguments[1])};
  resolve_operator("=", pair);  // 42883 where they cannot be compared
  const SqlType common = common_type(pair, "NULLIF");
  types->arguments.assign(2, common);
  types->result = common;
  return true;
}

void nullif_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                   uint32_t size, Selection selection, Vector* result) {
  const size_t width = physical_size(physical_type(types.result));
  auto* out = static_cast<char*>(result->allocate(types.result, size));
  const bool is_text = physical_type(types.result) == PhysicalType::kString;
  KernelCall call{state, types, arguments};
  kernel_detail::NullMarker nulls(result, size);
  for (uint32_t i = 0; i < selection.count; ++i) {
    call.row = selection[i];
    char* to = out + width * call.row;
    const bool is_null =
        !call.is_valid(0) || (call.is_valid(1) && order(types.result, call.element(0), call.element(1)) == 0);
    if (is_null) {
      std::memset(to, 0, width);
      nulls.mark(call.row);
    } else if (is_text) {
      const std::string_view kept = result->store_string(call.at<std::string_view>(0));
      std::memcpy(to, &kept, sizeof kept);
    } else {
      std::memcpy(to, call.element(0), width);
    }
  }
}

// num_nulls, num_nonnulls
bool bind_count_nulls(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.empty()) return false;
  for (const SqlType type : arguments)
    types->arguments.push_back(type.id == TypeId::kUnknown ? SqlType(TypeId::kText) : plain_type(type));
  types->result = TypeId::kInteger;
  return true;
}

int32_t count_nulls(const KernelCall& call, bool nulls) {
  int32_t count = 0;
  for (size_t i = 0; i < call.arguments.size(); ++i) count += call.is_valid(i) != nulls;
  return count;
}

}  // namespace

void register_conditional_functions(FunctionRegistry& r) {
  r.add_polymorphic("greatest", bind_common, extreme_kernel<true>).strict = false;
  r.add_polymorphic("least", bind_common, extreme_kernel<false>).strict = false;
  r.add_polymorphic("nullif", bind_nullif, nullif_kernel).strict = false;
  r.add_polymorphic("num_nulls", bind_count_nulls,
                    row_kernel<[](KernelCall& c) { return count_nulls(c, true); }>)
      .strict = false;
  r.add_polymorphic("num_nonnulls", bind_count_nulls,
                    row_kernel<[](KernelCall& c) { return count_nulls(c, false); }>)
      .strict = false;
}

}  // namespace idem
