#include "common/error.h"

#include "common/utf8_repair.h"

namespace idem {

SqlError::SqlError(std::string_view sqlstate, std::string message)
    : std::runtime_error(utf8_repaired(std::move(message))), sqlstate_(sqlstate) {}

SqlError& SqlError::with_detail(std::string text) {
  detail_ = utf8_repaired(std::move(text));
  return *this;
}

SqlError& SqlError::with_hint(std::string text) {
  hint_ = utf8_repaired(std::move(text));
  return *this;
}

SqlError& SqlError::with_position(uint32_t byte_offset_from_one) {
  if (!position_) position_ = byte_offset_from_one;
  return *this;
}

SqlError& SqlError::with_context(std::string text) {
  context_ = utf8_repaired(std::move(text));
  return *this;
}

}  // namespace idem
