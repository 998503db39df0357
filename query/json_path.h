#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace idem {

// The part of SQL/JSON paths that only walks: $.a."b c"[0][last][*].*, in lax mode: a member of an array is
// that of its objects, an index into what is no array takes it as an array of one. Filters and methods are
// 0A000, other texts 42601.
class JsonPath {
 public:
  explicit JsonPath(std::string_view text);

  struct Step {
    enum class Kind : uint8_t {
      kMember,
      kAnyMember,
      kElement,
      kLastElement,
      kAnyElement
    } kind = Kind::kMember;
    std::string key;
    int64_t index = 0;
  };
  const std::vector<Step>& steps() const { return steps_; }

 private:
  std::vector<Step> steps_;
};

// The values that the path finds, views into `json`, in order.
std::vector<std::string_view> json_path_query(std::string_view json, const JsonPath& path);

}  // namespace idem
