#pragma once

#include <string>
#include <string_view>

namespace idem {

// The path of a file or folder that a statement names on the server: below `folder`, relative to it unless absolute.
// Throws SqlError 42501 `file "p" is not in the import folder` for one that is not, with what to do in `advice`.
std::string path_within(const std::string& folder, const std::string& path, std::string_view folder_name,
                        std::string_view advice);

}  // namespace idem
