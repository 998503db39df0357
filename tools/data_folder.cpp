#include "tools/data_folder.h"

#include "common/error.h"
#include "common/posix_file.h"
#include "tools/command.h"

namespace idem::tools {

namespace {

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

DataFolder::DataFolder(const std::string& path)
    : files_(make_posix_file_system()), path_(without_slash(path)) {
  if (!files_->exists(join_path(path_, "CURRENT")).value_or_throw()) {
    throw UsageError(fmt::format("\"{}\" is not a data folder: it has no file CURRENT", path_));
  }
  lock_ = files_->lock(path_).value_or_throw();
}

std::string DataFolder::current_manifest_path() {
  const std::string current = join_path(path_, "CURRENT");
  std::string name = read_whole_file(*files_, current).value_or_throw();
  if (!name.empty() && name.back() == '\n') name.pop_back();
  constexpr std::string_view kPrefix = "manifest-";
  const bool is_name = name.starts_with(kPrefix) && name.size() > kPrefix.size() &&
                       name.find_first_not_of("0123456789", kPrefix.size()) == name.npos;
  if (!is_name) throw sql_error(sqlstate::kDataCorrupted, "damaged {}: it names no manifest", current);
  return join_path(join_path(path_, "manifests"), name);
}

}  // namespace idem::tools
