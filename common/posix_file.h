#pragma once

#include <memory>

#include "common/file.h"

namespace idem {

// The file system of the operating system. Stateless: one may be shared by the whole process.
std::unique_ptr<FileSystem> make_posix_file_system();

}  // namespace idem
