#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "common/error.h"

namespace idem {

// What a call to the file layer was about; the simulation counts and fails calls by it.
enum class FileOp : uint8_t {
  kOpen,
  kRead,
  kWrite,
  kSync,
  kSize,
  kTruncate,
  kPreallocate,
  kRename,
  kRemove,
  kLink,
  kList,
  kMakeDirectory,
  kSyncDirectory,
  kExists,
  kFreeSpace,
  kLock,
};
inline constexpr size_t kFileOpCount = 16;

// A failed file operation. `code` is an errno value, or 0 when the system reported none (end of file met too
// early, folder in use) and `detail` says what was wrong.
struct IoError {
  FileOp op = FileOp::kRead;
  int code = 0;
  std::string path;
  std::string detail;

  // "could not write to file "p": No space left on device", worded as PostgreSQL does.
  std::string message() const;
  bool is_disk_full() const;  // ENOSPC or EDQUOT
  bool is_not_found() const;  // ENOENT
  // 53100 when the disk is full, 58P01 for a missing file, 55006 for a folder in use, else 58030.
  SqlError to_sql_error() const;
};

// Success, or the error of a file operation. Must be looked at; a moved-from one is a success.
class [[nodiscard]] IoStatus {
 public:
  IoStatus() = default;
  IoStatus(IoError error)
      : error_(std::make_unique<IoError>(std::move(error))) {}  // NOLINT: implicit on purpose

  bool ok() const { return error_ == nullptr; }
  const IoError& error() const { return *error_; }
  // For statements: throws error().to_sql_error().
  void throw_if_error() const {
    if (error_) throw error_->to_sql_error();
  }

 private:
  std::unique_ptr<IoError> error_;
};

// A value, or the error of the file operation that should have given it. Must be looked at.
template <class T>
class [[nodiscard]] IoResult {
 public:
  IoResult(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit on purpose
  IoResult(IoError error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return state_.index() == 0; }
  const IoError& error() const { return std::get<1>(state_); }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  // For statements: the value, moved out, or throws error().to_sql_error().
  T value_or_throw() {
    if (!ok()) throw error().to_sql_error();
    return std::move(std::get<0>(state_));
  }

 private:
  std::variant<T, IoError> state_;
};

}  // namespace idem
