#include "server/multipart_reader.h"

#include "common/error.h"
#include "common/utf8.h"

namespace idem {

namespace {

constexpr size_t kMaxPartHeaderBytes = 16 * 1024;

// The value of `name="value"` or `name=value` among the parameters of a header field.
std::string field_parameter(std::string_view field, std::string_view name) {
  for (size_t at = field.find(';'); at != field.npos; at = field.find(';', at)) {
    at = field.find_first_not_of("; \t", at);
    if (at == field.npos) break;
    const size_t equals = field.find('=', at);
    if (equals == field.npos) break;
    const bool is_it = utf8_lower(field.substr(at, equals - at)) == name;
    const bool is_quoted = field.substr(equals + 1).starts_with('"');
    const size_t begin = equals + 1 + is_quoted;
    size_t end = is_quoted ? field.find('"', begin) : field.find_first_of("; \t\r\n", begin);
    if (end == field.npos) end = field.size();
    if (is_it) return std::string(field.substr(begin, end - begin));
    at = end;
  }
  return "";
}

SqlError broken(std::string_view why) {
  return sql_error(sqlstate::kInvalidTextRepresentation, "the multipart body is broken: {}", why);
}

}  // namespace

std::string multipart_boundary(std::string_view content_type) {
  return field_parameter(content_type, "boundary");
}

MultipartReader::MultipartReader(std::string_view boundary, std::function<std::string()> read)
    : delimiter_("\r\n--" + std::string(boundary)), read_(std::move(read)), buffer_("\r\n") {}

void MultipartReader::read_more() {
  const std::string piece = read_();
  if (piece.empty()) throw broken("it ends within a part");
  buffer_ += piece;
}

std::string MultipartReader::read_part() {
  if (!in_part_) return "";
  while (true) {
    const size_t at = buffer_.find(delimiter_);
    if (at != buffer_.npos) {
      std::string piece = buffer_.substr(0, at);
      if (piece.empty()) in_part_ = false;
      buffer_.erase(0, piece.empty() ? delimiter_.size() : at);
      return piece;
    }
    if (buffer_.size() >= delimiter_.size()) {  // a delimiter may begin at the end
      const size_t safe = buffer_.size() - delimiter_.size() + 1;
      std::string piece = buffer_.substr(0, safe);
      buffer_.erase(0, safe);
      return piece;
    }
    read_more();
  }
}

bool MultipartReader::next_part() {
  while (!read_part().empty()) {}
  constexpr std::string_view kLast = "--";
  while (buffer_.size() < kLast.size()) read_more();
  if (buffer_.starts_with(kLast)) return false;
  read_header();
  in_part_ = true;
  return true;
}

void MultipartReader::read_header() {
  constexpr std::string_view kEnd = "\r\n\r\n";
  size_t end = buffer_.find(kEnd);
  while (end == buffer_.npos) {
    if (buffer_.size() > kMaxPartHeaderBytes) throw broken("the header of a part is too large");
    read_more();
    end = buffer_.find(kEnd);
  }
  const std::string_view header = std::string_view(buffer_).substr(0, end);
  const size_t field = utf8_lower(header).find("content-disposition:");
  const std::string_view disposition =
      field == header.npos ? "" : header.substr(field, header.find("\r\n", field) - field);
  name_ = field_parameter(disposition, "name");
  file_name_ = field_parameter(disposition, "filename");
  buffer_.erase(0, end + kEnd.size() - 2);  // the line end may belong to the delimiter of an empty part
  if (!buffer_.starts_with(delimiter_)) {
    while (buffer_.size() < delimiter_.size()) read_more();
    if (!buffer_.starts_with(delimiter_)) buffer_.erase(0, 2);
  }
}

}  // namespace idem
