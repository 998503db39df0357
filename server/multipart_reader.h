#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace idem {

// The parts of a multipart/form-data body (RFC 7578), while it comes. Holds no more than the header of a part, and a piece. 22P02 where the
// body is none.
class MultipartReader {
 public:
  // `read` gives more of the body, "" at its end.
  MultipartReader(std::string_view boundary, std::function<std::string()> read);

  // Goes to the next part, over what is left of this one. False if there are no more.
  bool next_part();
  const std::string& name() const { return name_; }
  const std::string& file_name() const { return file_name_; }  // "": it is no file
  // More of this part, "" at its end.
  std::string read_part();

 private:
  void read_header();
  void read_more();  // into buffer_

  const std::string delimiter_;  // between parts
  const std::function<std::string()> read_;
  std::string buffer_;
  bool in_part_ = true;  // before the first delimiter, too
  std::string name_, file_name_;
};

// Of "multipart/form-data; boundary=…". "" if there is none.
std::string multipart_boundary(std::string_view content_type);

}  // namespace idem
