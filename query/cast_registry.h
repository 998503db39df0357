#pragma once

#include <deque>
#include <map>
#include <utility>

#include "common/value_text.h"
#include "query/function.h"

namespace idem {

// The casts between scalar types that are functions of their own; text in and out, lengths and arrays follow
// rules (casts.cpp). Built once, constant afterwards.
class CastRegistry {
 public:
  static const CastRegistry& instance();

  struct Cast {
    const ScalarFunction* function = nullptr;
    CastContext context = CastContext::kExplicit;  // the loosest that is needed
  };

  // A null kernel only relabels.
  void add(TypeId from, TypeId to, CastContext context, ScalarKernel kernel,
           Volatility volatility = Volatility::kImmutable);
  const Cast* find(TypeId from, TypeId to) const;

 private:
  CastRegistry();

  std::deque<ScalarFunction> functions_;
  std::map<std::pair<TypeId, TypeId>, Cast> casts_;
};

void register_numeric_casts(CastRegistry& registry);
void register_datetime_casts(CastRegistry& registry);

// What the session says of reading and writing texts; plain options where there is no session.
TextOptions text_options(const EvaluationState& state);

// Any type ⇄ text by its input and output form. `parse_kernel` enforces lengths as in assignment,
// `parse_explicit_kernel` cuts.
void format_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                   uint32_t size, Selection selection, Vector* result);
void parse_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                  uint32_t size, Selection selection, Vector* result);
// Element by element; types of elements are those of types.arguments[0] and types.result.
void array_cast_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                       uint32_t size, Selection selection, Vector* result);
// VARCHAR(n), CHAR(n): 22001 or, explicitly, cut.
void length_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                   uint32_t size, Selection selection, Vector* result);
void explicit_length_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                            uint32_t size, Selection selection, Vector* result);
void decimal_scale_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                          uint32_t size, Selection selection, Vector* result);
void time_precision_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                           uint32_t size, Selection selection, Vector* result);
int64_t rounded_micros(int64_t micros, int digits);

// The text of one element as SQL shows it, reg* types by name.
void append_sql_text(std::string& out, EvaluationState& state, SqlType type, const void* element);

}  // namespace idem
