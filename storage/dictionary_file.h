#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/file.h"
#include "storage/schema.h"

namespace idem {

// The strings of one SYMBOL column on disk, in the order of their codes (docs/format/segment.md, "Dictionary
// files").
//
// Append-only: the manifest names how many strings count, and where they end. What a crash left beyond them is ignored and
// overwritten. One thread at a time. The file is open between append() and sync() only. After an error of one of them begin
// anew with resume().
class DictionaryFile {
 public:
  // A new, empty file. The caller syncs the folder. Throws 58030, 53100.
  static std::unique_ptr<DictionaryFile> create(FileSystem& files, const std::string& path,
                                                uint64_t database_id, TableId table, ColumnId column);
  // One that holds `count` strings in its first `bytes` bytes, as size() and bytes() said after a sync(). Nothing is read.
  static std::unique_ptr<DictionaryFile> resume(FileSystem& files, const std::string& path, uint32_t count,
                                                uint64_t bytes);

  // Writes the strings of codes [from_code, from_code + strings.size()) as one block; from_code == size().
  // Not durable before sync(). Throws 58P01, 58030, 53100.
  void append(uint32_t from_code, std::span<const std::string_view> strings);
  // The strings of codes [size(), count) of a dictionary; nothing when there are none.
  void append_from(const SymbolDictionary& dictionary, uint32_t count);
  void sync();

  uint32_t size() const { return count_; }
  uint64_t bytes() const { return end_; }
  const std::string& path() const { return path_; }

 private:
  DictionaryFile(FileSystem& files, std::string path, uint32_t count, uint64_t end)
      : files_(files), path_(std::move(path)), count_(count), end_(end) {}

  FileSystem& files_;
  const std::string path_;
  std::unique_ptr<File> file_;  // null: closed
  uint32_t count_ = 0;
  uint64_t end_ = 0;  // where the next block goes
};

// Gives the first `count` strings of a file, in order. `count` is one that size() gave after an append(). Returns where they
// end. Throws 58P01, 58030; XX001 where the file is damaged before the end of string `count` - 1, holds fewer, or is another
// column's.
uint64_t read_dictionary_file(FileSystem& files, const std::string& path, uint64_t database_id, TableId table,
                              ColumnId column, uint32_t count,
                              const std::function<void(std::string_view)>& take);

// Verifies the header and the first `count` strings of a file's content. Throws XX001 that names path and
// offset.
void check_dictionary_content(std::string_view content, const std::string& path, uint32_t count);

}  // namespace idem
