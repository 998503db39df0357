#include "storage/row_group.h"

namespace idem {

void read_initial(const ColumnSchema& column, Vector* out) {
  if (column.initial.is_null()) {
    *out = Vector::constant_null(column.type);
    out->dictionary = column.dictionary.get();
    return;
  }
  if (column.type.id != TypeId::kSymbol) {
    *out = Vector::constant(column.initial);
    out->type = column.type;
    return;
  }
  const int32_t code = column.dictionary->intern(column.initial.as_string());
  *out = Vector();
  *out->allocate_as<int32_t>(column.type, 1) = code;
  out->form = Vector::Form::kConstant;
  out->dictionary = column.dictionary.get();
  out->owner = column.dictionary;
}

}  // namespace idem
