#include "query/server_file.h"

#include <filesystem>

#include "common/error.h"

namespace idem {

std::string path_within(const std::string& folder, const std::string& path, std::string_view folder_name,
                        std::string_view advice) {
  namespace fs = std::filesystem;
  const fs::path base = fs::path(folder).lexically_normal();
  const fs::path full = (fs::path(path).is_absolute() ? fs::path(path) : base / path).lexically_normal();
  const fs::path relative = full.lexically_relative(base);
  if (relative.empty() || *relative.begin() == ".." || *relative.begin() == ".") {
    throw sql_error(sqlstate::kInsufficientPrivilege, "file \"{}\" is not in the {}", path, folder_name)
        .with_hint(fmt::format("Server-side files are read and written under \"{}\" only.{}", base.string(),
                               advice));
  }
  return full.string();
}

}  // namespace idem
