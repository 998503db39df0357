#include "query/array_quantifier.h"

#include <array>

#include "common/error.h"
#include "query/array_elements.h"
#include "query/cancel_check.h"
#include "query/function_registry.h"
#include "query/kernel.h"

namespace idem {

namespace {

// Compares `left` with elements until a comparison decides; NULL comparisons are remembered.
class Quantifier {
 public:
  Quantifier(EvaluationState& state, const CallTypes& types, std::string_view symbol, bool any)
      : state_(state), any_(any), element_(types.arguments[2].element), check_cancel_(state.context->cancel) {
    const std::array<SqlType, 2> operands = {types.arguments[1], SqlType(element_)};
    call_ = resolve_operator(symbol, operands);
  }

  void by_element(const Vector& left, const ArrayView& array, uint32_t size, Selection selection,
                  Vector* result) {
    auto* out = result->allocate_as<uint8_t>(TypeId::kBoolean, size);
    std::array<uint16_t, kVectorSize> rows, valid_rows;
    std::array<uint8_t, kVectorSize> met_null;
    for (uint32_t i = 0; i < selection.count; ++i) {
      out[selection[i]] = !any_;
      met_null[selection[i]] = 0;
    }
    Selection open = selection;
    Vector compared;
    for (uint32_t e = 0; e < array.size() && open.count > 0; ++e) {
      check_cancel_();
      const std::array<Vector, 2> operands = {left, element_constant(array, SqlType(element_), e)};
      uint32_t valid = 0;
      for (uint32_t i = 0; i < open.count; ++i) {
        const uint32_t row = open[i];
        valid_rows[valid] = static_cast<uint16_t>(row);
        const bool known = left.is_valid(row) && operands[1].is_valid(0);
        valid += known;
        met_null[row] |= !known;
      }
      if (valid == 0) continue;
      call_.function->kernel(state_, call_.types, operands, size, {valid_rows.data(), valid}, &compared);
      uint32_t left_open = 0;
      for (uint32_t i = 0; i < valid; ++i) {
        const uint16_t row = valid_rows[i];
        met_null[row] |= !compared.is_valid(row);
        if (compared.is_valid(row) && (compared.values<uint8_t>()[row] != 0) == any_) {
          out[row] = any_;
          met_null[row] = 0;
        } else {
          rows[left_open++] = row;
        }
      }
      open = {rows.data(), left_open};
    }
    mark_nulls(met_null.data(), size, selection, out, result);
  }

  // -1 is NULL.
  int of_row(const Vector& left, const ArrayView& array) {
    bool met_null = false;
    Vector compared;
    std::array<uint16_t, kVectorSize> valid_rows;
    for (uint32_t begin = 0; begin < array.size(); begin += kVectorSize) {
      check_cancel_();
      const uint32_t end = std::min(array.size(), begin + kVectorSize);
      const std::array<Vector, 2> operands = {left, element_vector(array, SqlType(element_), begin, end)};
      uint32_t valid = 0;
      for (uint32_t i = 0; i < end - begin; ++i) {
        if (left.is_valid(0) && operands[1].is_valid(i)) valid_rows[valid++] = static_cast<uint16_t>(i);
      }
      met_null |= valid < end - begin;
      if (valid == 0) continue;
      call_.function->kernel(state_, call_.types, operands, end - begin, {valid_rows.data(), valid},
                             &compared);
      for (uint32_t i = 0; i < valid; ++i) {
        if (!compared.is_valid(valid_rows[i])) {
          met_null = true;
        } else if ((compared.values<uint8_t>()[valid_rows[i]] != 0) == any_) {
          return any_;
        }
      }
    }
    return met_null ? -1 : !any_;
  }

 private:
  static void mark_nulls(const uint8_t* met_null, uint32_t size, Selection selection, uint8_t* out,
                         Vector* result) {
    uint64_t* words = nullptr;
    for (uint32_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      if (met_null[row] == 0) continue;
      if (words == nullptr) words = result->allocate_validity(size);
      words[row >> 6] &= ~(uint64_t{1} << (row & 63));
      out[row] = 0;
    }
  }

  EvaluationState& state_;
  bool any_;
  TypeId element_;
  ResolvedCall call_;
  CancelCheck check_cancel_;
};

template <bool kAny>
void quantifier_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                       uint32_t size, Selection selection, Vector* result) {
  const std::string_view symbol = *arguments[0].values<std::string_view>();
  const Vector &left = arguments[1], &arrays = arguments[2];
  Quantifier quantifier(state, types, symbol, kAny);
  if (arrays.is_constant() && arrays.is_valid(0) && !left.is_constant()) {
    return quantifier.by_element(left, ArrayView(*arrays.values<std::string_view>()), size, selection,
                                 result);
  }
  auto* out = result->allocate_as<uint8_t>(TypeId::kBoolean, size);
  kernel_detail::NullMarker nulls(result, size);
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    const auto position = static_cast<uint16_t>(row);
    int answer = -1;
    if (arrays.is_valid(row)) {
      Vector one = left.is_constant() ? left : compact(left, {&position, 1});
      one.form = Vector::Form::kConstant;
      answer = quantifier.of_row(
          one, ArrayView(arrays.values<std::string_view>()[arrays.is_constant() ? 0 : row]));
    }
    out[row] = answer == 1;
    if (answer < 0) nulls.mark(row);
  }
}

bool bind_quantifier(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 3 || arguments[2].id != TypeId::kArray) return false;
  types->arguments.assign(arguments.begin(), arguments.end());
  types->result = TypeId::kBoolean;
  return true;
}

}  // namespace

ResolvedCall resolve_array_quantifier(std::string_view symbol, SqlType left, SqlType array, bool all) {
  TypeId element = TypeId::kUnknown;
  if (array.id == TypeId::kUnknown) {
    element = stored_element_type(left);
  } else {
    element = element_type(array);
    if (element == TypeId::kUnknown) {
      throw SqlError(sqlstate::kWrongObjectType, "op ANY/ALL (array) requires array on right side");
    }
  }
  const std::array<SqlType, 2> operands = {left, SqlType(element)};
  const ResolvedCall call = resolve_operator(symbol, operands);
  if (call.types.result.id != TypeId::kBoolean) {
    throw SqlError(sqlstate::kWrongObjectType, "op ANY/ALL (array) requires operator to yield boolean");
  }
  const auto* found = FunctionRegistry::instance().find(all ? "all_of" : "any_of");
  ResolvedCall result;
  result.function = found->front();
  result.types.arguments = {TypeId::kText, call.types.arguments[0],
                            SqlType::array_of(call.types.arguments[1].id)};
  result.types.result = TypeId::kBoolean;
  return result;
}

void register_array_quantifiers(FunctionRegistry& registry) {
  registry.add_polymorphic("any_of", bind_quantifier, quantifier_kernel<true>).strict = false;
  registry.add_polymorphic("all_of", bind_quantifier, quantifier_kernel<false>).strict = false;
}

}  // namespace idem
