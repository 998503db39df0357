#include "storage/dictionary_file.h"

#include <cassert>
#include <vector>

#include "common/byte_io.h"
#include "common/crc32c.h"
#include "common/error.h"

namespace idem {

namespace {

constexpr std::string_view kDictionaryMagic = "IDEMDIC1";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 64, kBlockHeaderBytes = 16;
constexpr size_t kAppendedBytes = 4 << 20;  // an append of more makes several blocks

std::string make_header(uint64_t database_id, TableId table, ColumnId column) {
  std::string header(kDictionaryMagic);
  ByteWriter writer(header);
  writer.u32(0);
  writer.u32(kVersion);
  writer.u64(database_id);
  writer.u32(static_cast<uint32_t>(table));
  writer.u32(static_cast<uint32_t>(column));
  writer.zeros(kHeaderBytes - header.size());
  writer.set_u32(kDictionaryMagic.size(), crc32c(header.data() + 12, header.size() - 12));
  return header;
}

// Appends strings from `*next` on as one block.
void append_block(uint32_t first_code, std::span<const std::string_view> strings, size_t* next,
                  std::string* out) {
  const size_t start = out->size();
  ByteWriter writer(*out);
  writer.zeros(kBlockHeaderBytes);
  const size_t first = *next;
  while (*next < strings.size() && (*next == first || out->size() - start < kAppendedBytes)) {
    writer.string(strings[(*next)++]);
  }
  writer.set_u32(start + 4, static_cast<uint32_t>(out->size() - start - kBlockHeaderBytes));
  writer.set_u32(start + 8, first_code + static_cast<uint32_t>(first));
  writer.set_u32(start + 12, static_cast<uint32_t>(*next - first));
  writer.set_u32(start, crc32c(out->data() + start + 4, out->size() - start - 4));
}

// Reads a dictionary file's content, block by block, up to `count` strings.
class DictionaryReader {
 public:
  DictionaryReader(std::string_view content, const std::string& path) : content_(content), path_(path) {}

  template <class Use>
  uint64_t read(uint32_t count, Use&& use) {
    while (next_code_ < count) read_block(count, use);
    return offset_;
  }
  void check_header(std::string_view expected) {
    if (content_.substr(0, kHeaderBytes) != expected) damaged("the header is not this column's");
    offset_ = kHeaderBytes;
  }
  [[noreturn]] void damaged(std::string_view why) const {
    throw sql_error(sqlstate::kDataCorrupted, "damaged dictionary file \"{}\" at offset {}: {}", path_,
                    offset_, why);
  }

 private:
  template <class Use>
  void read_block(uint32_t count, Use&& use) {
    if (content_.size() - offset_ < kBlockHeaderBytes) damaged("strings are missing");
    ByteReader header(content_.substr(offset_, kBlockHeaderBytes), path_);
    const uint32_t crc = header.u32(), size = header.u32(), first_code = header.u32(), strings = header.u32();
    if (size > content_.size() - offset_ - kBlockHeaderBytes) damaged("strings are missing");
    if (crc32c(content_.data() + offset_ + 4, kBlockHeaderBytes - 4 + size) != crc) damaged("wrong checksum");
    if (first_code != next_code_ || strings == 0) damaged("a block with other codes");
    if (strings > count - next_code_) damaged("the manifest's count is not the end of a block");
    ByteReader in(content_.substr(offset_ + kBlockHeaderBytes, size), path_);
    for (uint32_t i = 0; i < strings; ++i) {
      if (!use(next_code_++, in.string())) damaged("a string that is there twice");
    }
    in.expect_end();
    offset_ += kBlockHeaderBytes + size;
  }

  std::string_view content_;
  const std::string& path_;
  uint64_t offset_ = 0;
  uint32_t next_code_ = 0;
};

}  // namespace

std::unique_ptr<DictionaryFile> DictionaryFile::create(FileSystem& files, const std::string& path,
                                                       uint64_t database_id, TableId table, ColumnId column) {
  auto created = std::unique_ptr<DictionaryFile>(new DictionaryFile(files, path, 0, kHeaderBytes));
  created->file_ = files.open(path, OpenMode::kCreate).value_or_throw();
  created->file_->write_at(0, make_header(database_id, table, column)).throw_if_error();
  return created;
}

std::unique_ptr<DictionaryFile> DictionaryFile::resume(FileSystem& files, const std::string& path,
                                                       uint32_t count, uint64_t bytes) {
  return std::unique_ptr<DictionaryFile>(new DictionaryFile(files, path, count, bytes));
}

void DictionaryFile::append(uint32_t from_code, std::span<const std::string_view> strings) {
  assert(from_code == count_);
  if (strings.empty()) return;
  if (!file_) file_ = files_.open(path_, OpenMode::kReadWrite).value_or_throw();
  for (size_t next = 0; next < strings.size();) {
    std::string block;
    append_block(from_code, strings, &next, &block);
    file_->write_at(end_, block).throw_if_error();
    end_ += block.size();
    count_ = from_code + static_cast<uint32_t>(next);
  }
}

void DictionaryFile::append_from(const SymbolDictionary& dictionary, uint32_t count) {
  std::vector<std::string_view> strings;
  for (uint32_t code = count_; code < count; ++code)
    strings.push_back(dictionary.at(static_cast<int32_t>(code)));
  append(count_, strings);
}

void DictionaryFile::sync() {
  if (!file_) return;
  file_->sync().throw_if_error();
  file_.reset();
}

uint64_t read_dictionary_file(FileSystem& files, const std::string& path, uint64_t database_id, TableId table,
                              ColumnId column, uint32_t count,
                              const std::function<void(std::string_view)>& take) {
  const std::string content = read_whole_file(files, path).value_or_throw();
  DictionaryReader reader(content, path);
  reader.check_header(make_header(database_id, table, column));
  return reader.read(count, [&](uint32_t, std::string_view text) {
    take(text);
    return true;
  });
}

void check_dictionary_content(std::string_view content, const std::string& path, uint32_t count) {
  DictionaryReader reader(content, path);
  if (content.size() < kHeaderBytes) reader.damaged("the file is too short");
  ByteReader header(content.substr(kDictionaryMagic.size() + 8, kHeaderBytes - kDictionaryMagic.size() - 8),
                    path);
  const uint64_t database_id = header.u64();
  const auto table = static_cast<TableId>(header.u32());
  const auto column = static_cast<ColumnId>(header.u32());
  reader.check_header(make_header(database_id, table, column));
  SymbolDictionary dictionary;
  reader.read(count, [&](uint32_t code, std::string_view text) {
    return dictionary.intern(text) == static_cast<int32_t>(code);
  });
}

}  // namespace idem
