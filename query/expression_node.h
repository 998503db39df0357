#pragma once

#include <memory>
#include <vector>

#include "query/bound_expression.h"
#include "query/evaluation.h"
#include "storage/vector.h"

namespace idem {

struct EvaluationInput {
  EvaluationState& state;
  const DataChunk& chunk;
};

// A part of an expression with the buffers and memories that one thread needs to compute it.
class ExpressionNode {
 public:
  explicit ExpressionNode(SqlType result_type) : type_(result_type) {}
  virtual ~ExpressionNode() = default;
  ExpressionNode(const ExpressionNode&) = delete;
  ExpressionNode& operator=(const ExpressionNode&) = delete;

  // Values at the selected rows. A SYMBOL stays a dictionary vector, also where it is to be read as text:
  // whoever needs characters calls decoded(). selection.count is not 0.
  virtual void evaluate(EvaluationInput& input, Selection selection, Vector* result) = 0;
  // Rows of `selection` at which the boolean is exactly `wanted`, ascending; `out` may be the memory of
  // `selection`.
  virtual uint32_t select(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out);
  virtual bool can_fail() const = 0;
  virtual void reset() {}

  SqlType type() const { return type_; }

 protected:
  SqlType type_;
};

using NodePtr = std::unique_ptr<ExpressionNode>;

NodePtr compile_expression(const BoundExpression& expression);
// compile_expression() and its parts by subject:
NodePtr compile_call(const BoundExpression& expression);     // expression_call.cpp
NodePtr compile_logical(const BoundExpression& expression);  // expression_logical.cpp: AND OR NOT
NodePtr compile_conditional(
    const BoundExpression& expression);                      // expression_conditional.cpp: CASE COALESCE IS
NodePtr compile_in_list(const BoundExpression& expression);  // expression_in_list.cpp
// A call of any_of that asks whether its value is in an array that no row changes; `by_element`: as any call.
bool is_array_membership(const BoundExpression& call);
NodePtr compile_array_membership(const BoundExpression& call, NodePtr by_element);
NodePtr compile_subquery(const BoundExpression& expression);  // expression_subquery.cpp

// A symbol as the VARCHAR that it stands for; a sequence as a flat vector. Other vectors are returned
// unchanged.
Vector decoded(const Vector& input, uint32_t size, Selection selection);

// Copies the selected rows of `from` to the same rows of a flat vector made by allocate(); characters are
// copied into it. `validity` gets cleared bits for NULLs (made when first needed).
class VectorScatter {
 public:
  VectorScatter(SqlType type, uint32_t size, Vector* to);
  void copy(const Vector& from, Selection rows);
  void set_null(uint32_t row);
  void set_element(uint32_t row,
                   const void* element);  // in the layout of the physical type; characters are copied
  void set_value(uint32_t row, const Value& value);

 private:
  uint64_t* validity();

  Vector* to_;
  uint32_t size_;
  char* elements_;
  size_t width_;
  bool is_text_;
  uint64_t* words_ = nullptr;
};

// Rows at which a boolean vector is exactly `wanted`.
uint32_t select_boolean(const Vector& value, Selection selection, bool wanted, uint16_t* out);
// Selected rows that are valid; out may be the memory of `selection`.
uint32_t select_valid(const Vector& vector, Selection selection, bool valid, uint16_t* out);
// Rows of `all` that are not in `part`; both ascending.
uint32_t subtract_rows(Selection all, const uint16_t* part, uint32_t part_count, uint16_t* out);

}  // namespace idem
