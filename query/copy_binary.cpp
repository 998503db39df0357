#include <cstring>

#include "common/utf8.h"
#include "query/copy_block.h"

// The binary format of COPY: docs of PostgreSQL, "COPY", "Binary Format".
namespace idem {

namespace {

constexpr std::string_view kBinarySignature("PGCOPY\n\377\r\n\0", 11);
constexpr std::string_view kBinaryTrailer("\377\377", 2);

uint32_t get32(const char* p) {
  uint32_t v;
  std::memcpy(&v, p, 4);
  return __builtin_bswap32(v);
}

SqlError damaged(std::string text) { return SqlError(sqlstate::kBadCopyFileFormat, std::move(text)); }

}  // namespace

size_t CopyBlockReader::read_binary(bool at_end) {
  size_t at = 0;
  if (binary_header_pending_) {
    at = read_binary_header(at_end);
    if (binary_header_pending_) return 0;
  }
  while (read_binary_row(&at)) {}
  if (!at_end) return at;
  if (text_.substr(at) != kBinaryTrailer) stop(damaged("unexpected EOF in COPY data"), line_);
  block_->ended = true;
  return text_.size();
}

size_t CopyBlockReader::read_binary_header(bool at_end) {
  if (text_.size() < kBinarySignature.size() + 8) {
    if (at_end) stop(damaged("COPY file signature not recognized"), line_);
    return 0;
  }
  if (!text_.starts_with(kBinarySignature)) stop(damaged("COPY file signature not recognized"), line_);
  const uint32_t flags = get32(text_.data() + 11), extension = get32(text_.data() + 15);
  if (flags & 0xffff0000u) stop(damaged("unrecognized critical flags in COPY file header"), line_);
  if (extension > (1u << 20)) stop(damaged("invalid COPY file header (wrong length)"), line_);
  if (text_.size() < 19 + size_t{extension}) return 0;
  binary_header_pending_ = false;
  return 19 + extension;
}

// False if the row is not complete, or there is the trailer, which stays until it is known that nothing follows.
bool CopyBlockReader::read_binary_row(size_t* at) {
  size_t p = *at;
  const auto left = [&] { return text_.size() - p; };
  if (left() < 2) return false;
  const auto count =
      static_cast<int16_t>(static_cast<uint8_t>(text_[p]) << 8 | static_cast<uint8_t>(text_[p + 1]));
  p += 2;
  if (count == -1) {
    if (left() > 0) stop(damaged("received copy data after EOF marker"), line_ + 1);
    return false;
  }
  const uint64_t line = line_ + 1;
  if (count < 0 || static_cast<size_t>(count) != layout_.targets.size()) {
    stop(damaged(fmt::format("row field count is {}, expected {}", count, layout_.targets.size())), line);
  }
  for (size_t i = 0; i < layout_.targets.size(); i++) {
    const Target& target = layout_.targets[i];
    if (left() < 4) return arena_.reset(), false;
    const auto length = static_cast<int32_t>(get32(text_.data() + p));
    p += 4;
    nulls_[i] = length == -1;
    if (length == -1) continue;
    if (length < 0) stop(damaged("invalid field size"), line);
    if (left() < static_cast<size_t>(length)) return arena_.reset(), false;
    try {
      parse_binary(target.type, std::span<const char>(text_.data() + p, static_cast<size_t>(length)),
                   elements_[i].bytes.data(), arena_);
      if (physical_type(target.type) == PhysicalType::kString && target.type.id != TypeId::kBytea) {
        std::string_view text;
        std::memcpy(&text, elements_[i].bytes.data(), sizeof(text));
        check_utf8(text);
      }
    } catch (SqlError& error) {
      stop(std::move(error), line, fmt::format(", column {}", schema_->columns[target.column].name));
    }
    p += static_cast<size_t>(length);
  }
  line_ = line;
  for (size_t i = 0; i < layout_.targets.size(); i++) {
    const std::string& name = schema_->columns[layout_.targets[i].column].name;
    if (!nulls_[i] || !layout_.targets[i].not_null) continue;
    stop(sql_error(sqlstate::kNotNullViolation,
                   "null value in column \"{}\" of relation \"{}\" violates not-null constraint", name,
                   schema_->name),
         line, fmt::format(", column {}", name));
  }
  append_converted();
  *at = p;
  return true;
}

}  // namespace idem
