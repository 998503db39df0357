#include "common/io_result.h"

#include <cerrno>
#include <string_view>
#include <system_error>

namespace idem {

namespace {

std::string_view what_failed(FileOp op) {
  switch (op) {
    case FileOp::kOpen: return "could not open file";
    case FileOp::kRead: return "could not read file";
    case FileOp::kWrite: return "could not write to file";
    case FileOp::kSync: return "could not fsync file";
    case FileOp::kSize: return "could not stat file";
    case FileOp::kTruncate: return "could not truncate file";
    case FileOp::kPreallocate: return "could not allocate space for file";
    case FileOp::kRename: return "could not rename file";
    case FileOp::kRemove: return "could not remove file";
    case FileOp::kLink: return "could not link file";
    case FileOp::kList: return "could not open directory";
    case FileOp::kMakeDirectory: return "could not create directory";
    case FileOp::kSyncDirectory: return "could not fsync directory";
    case FileOp::kExists: return "could not access file";
    case FileOp::kFreeSpace: return "could not get the free space of";
    case FileOp::kLock: return "could not lock directory";
  }
  return "file operation failed on";
}

}  // namespace

std::string IoError::message() const {
  std::string out = fmt::format("{} \"{}\"", what_failed(op), path);
  if (!detail.empty()) out += ": " + detail;
  if (code != 0) out += ": " + std::generic_category().message(code);
  return out;
}

bool IoError::is_disk_full() const { return code == ENOSPC || code == EDQUOT; }

bool IoError::is_not_found() const { return code == ENOENT; }

SqlError IoError::to_sql_error() const {
  std::string_view state = sqlstate::kIoError;
  if (is_disk_full()) {
    state = sqlstate::kDiskFull;
  } else if (is_not_found()) {
    state = sqlstate::kUndefinedFile;
  } else if (op == FileOp::kLock && code == 0) {
    state = sqlstate::kObjectInUse;
  }
  return SqlError(state, message());
}

}  // namespace idem
