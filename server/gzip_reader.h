#pragma once

#include <functional>
#include <memory>
#include <string>

namespace idem {

// Unpacks gzip data piece by piece as it comes. Used by one thread.
class GzipReader {
 public:
  // `read` gives more of what is packed, "" at the end.
  explicit GzipReader(std::function<std::string()> read);
  ~GzipReader();

  // More of what was packed, at most 256 KiB; "" at the end. Throws 22P02 for what is no gzip data, also if it ends early.
  std::string read_piece();

 private:
  void take_input();

  struct Stream;
  const std::unique_ptr<Stream> stream_;
  const std::function<std::string()> read_;
  std::string input_;
  bool in_member_ = true;  // more of a gzip member must come; several may follow each other
  bool is_full_ = false;   // the last piece was as large as may be: more may come of what was read
};

}  // namespace idem
