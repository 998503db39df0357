#include "storage/codec.h"

#include "common/error.h"

namespace idem {

void throw_damaged_encoding(std::string_view why) {
  throw sql_error(sqlstate::kDataCorrupted, "damaged encoding: {}", why);
}

}  // namespace idem
