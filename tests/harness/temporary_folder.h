#pragma once

#include <string>

namespace idem::test {

// A new folder under $TMPDIR, removed with all it holds when this ends.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string read_file(const std::string& path);  // "" if it is not there
void write_file(const std::string& path, const std::string& content);

}  // namespace idem::test
