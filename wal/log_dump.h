#pragma once

#include <functional>
#include <string>

#include "common/file.h"
#include "wal/record.h"

namespace idem::wal {

// Prints the payload of a record; gives the text that follows the header fields on its line.
using PayloadRenderer = std::function<std::string(const Record&)>;

// Describes every segment in `directory` and every record in it, one line each, through `on_line`; for the
// folder of a stopped server, of any database. Goes on after damage where the next record can be found, and
// says so. `render` may be empty. Throws SqlError 58030 if a file cannot be read.
void dump_log(FileSystem& fs, const std::string& directory, const PayloadRenderer& render,
              const std::function<void(const std::string& line)>& on_line);

}  // namespace idem::wal
