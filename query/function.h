#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/evaluation.h"
#include "storage/vector.h"

namespace idem {

enum class Volatility : uint8_t { kImmutable, kStable, kVolatile };

struct CallTypes {  // of one call after resolution
  std::vector<SqlType> arguments;
  SqlType result;
};

// Computes the result at the selected rows. Arguments are flat, constant, sequence or dictionary as they come; `size` is
// the number of rows they are aligned to. With `strict` functions the caller has not removed NULL rows: kernels compute blindly
// where that is safe and the caller clears validity afterwards; kernels that can fail on garbage must look at validity.
// Writes *result through Vector::allocate and sets validity for NULL results of its own.
using ScalarKernel = void (*)(EvaluationState& state, const CallTypes& types,
                              std::span<const Vector> arguments, uint32_t size, Selection selection,
                              Vector* result);

struct ScalarFunction {
  std::string name;
  std::vector<SqlType> parameters;  // exact types; polymorphic ones are resolved by `bind`
  bool variadic = false;            // the last parameter repeats
  SqlType result;
  bool strict = true;  // NULL in, NULL out
  bool takes_symbols =
      false;  // false: the evaluator hands SYMBOL arguments over as dictionary vectors decoded to VARCHAR
  Volatility volatility = Volatility::kImmutable;
  ScalarKernel kernel = nullptr;
  bool blind =
      false;  // the kernel may run over NULL rows; otherwise the evaluator leaves them out if `strict`
  bool never_fails = false;  // throws for no arguments: conditions may be reordered around it
  // For polymorphic signatures (anyarray, anyelement, DECIMAL modifiers): returns false if the types do not fit.
  bool (*bind)(std::span<const SqlType> arguments, CallTypes* types) = nullptr;
};

struct ResolvedCall {
  const ScalarFunction* function = nullptr;
  CallTypes types;  // the binder casts each argument to types.arguments[i]
};

// Set-returning functions usable in FROM and in a select list (generate_series, unnest, …): one call gives a whole result.
struct TableFunction {
  std::string name;
  std::vector<SqlType> parameters;
  bool (*bind)(std::span<const SqlType> arguments, std::vector<SqlType>* argument_types,
               std::vector<std::pair<std::string, SqlType>>* columns) = nullptr;
  // Appends all rows: emit() takes chunks of at most kVectorSize rows with the columns that bind() promised.
  void (*run)(EvaluationState& state, const std::vector<SqlType>& argument_types,
              const std::vector<Value>& arguments, const std::function<void(DataChunk&)>& emit) = nullptr;
};

// PostgreSQL's resolution (exact match, then preferred types and implicit casts; unknown literals fit anything). Names are
// lower case; a "pg_catalog" qualifier has been removed. Throw 42883 with PostgreSQL's message and hint, 42725 when
// ambiguous. Operators are functions named by their symbol: "+", "||", "~~", "->>".
ResolvedCall resolve_function(std::string_view name, std::span<const SqlType> arguments);
ResolvedCall resolve_operator(std::string_view symbol, std::span<const SqlType> arguments);
bool is_scalar_function(std::string_view name);
const TableFunction* find_table_function(std::string_view name);
std::vector<std::string> function_names();  // for hints and pg_proc

enum class CastContext : uint8_t { kImplicit, kAssignment, kExplicit };
// Null if there is no such cast in that context. A cast to the same type, or one that only relabels (varchar to text), has
// kernel null: the vector is passed on with the new type. The modifier of `to` is applied (rounding, 22001, padding).
const ScalarFunction* find_cast(SqlType from, SqlType to, CastContext context);
bool can_cast(SqlType from, SqlType to, CastContext context);
Value cast_value(EvaluationState& state, const Value& value, SqlType to,
                 CastContext context);  // throws 42846 and conversion errors

// The type that UNION, CASE, COALESCE, VALUES and array constructors take (PostgreSQL 10.5); 42804 "<what> types x and y cannot be matched".
SqlType common_type(std::span<const SqlType> types, std::string_view what);

}  // namespace idem
