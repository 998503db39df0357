#include "common/string_order.h"

#include "common/array_value.h"
#include "common/json_order.h"
#include "common/record_value.h"

namespace idem {

bool compares_by_bytes(TypeId type) {
  switch (type) {
    case TypeId::kChar:
    case TypeId::kJsonb:
    case TypeId::kArray:
    case TypeId::kInt2Vector:
    case TypeId::kRecord: return false;
    default: return true;
  }
}

int compare_strings(TypeId type, std::string_view a, std::string_view b) {
  switch (type) {
    case TypeId::kChar: return without_padding(a).compare(without_padding(b));
    case TypeId::kJsonb: return compare_jsonb(a, b);
    case TypeId::kArray:
    case TypeId::kInt2Vector: return compare_arrays(a, b);
    case TypeId::kRecord: return compare_records(a, b);
    default: return a.compare(b);
  }
}

std::string_view without_padding(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace idem
