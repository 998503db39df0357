#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/sql_type.h"

namespace idem {

// The fields of a composite value as the binder knows them: those of ROW(…) are named f1, f2 …, those of a
// function with several columns as the function says. Values themselves carry types but no names
// (record_value.h).
struct RecordShape {
  struct Field {
    std::string name;
    SqlType type;
    std::shared_ptr<const RecordShape> shape;  // of a RECORD
  };
  std::vector<Field> fields;
};

using RecordShapePtr = std::shared_ptr<const RecordShape>;

}  // namespace idem
