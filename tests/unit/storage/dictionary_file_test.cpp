#include "storage/dictionary_file.h"

#include <gtest/gtest.h>

#include "common/error.h"
#include "common/simulated_file.h"
#include "storage/folder_check.h"

namespace idem {
namespace {

constexpr uint64_t kDatabase = 5;
constexpr TableId kTable{6};
constexpr ColumnId kColumn{7};

std::unique_ptr<DictionaryFile> open(FileSystem& files, uint32_t count, SymbolDictionary* dictionary) {
  uint32_t code = 0;
  const uint64_t end =
      read_dictionary_file(files, "d", kDatabase, kTable, kColumn, count, [&](std::string_view text) {
        if (dictionary->intern(text) != static_cast<int32_t>(code++))
          throw sql_error(sqlstate::kDataCorrupted, "twice");
      });
  return DictionaryFile::resume(files, "d", count, end);
}

void append(DictionaryFile& file, std::vector<std::string_view> strings) {
  file.append(file.size(), strings);
}

uint64_t findings(FileSystem& files, uint32_t count) {
  return check_dictionary_file(files, "d", count, [](const CheckFinding&) {}).findings;
}

TEST(DictionaryFile, ReadsBackInOrder) {
  SimulatedFileSystem files;
  SymbolDictionary source;
  {
    const auto file = DictionaryFile::create(files, "d", kDatabase, kTable, kColumn);
    append(*file, {"AAPL", "", "MSFT"});
    for (int i = 0; i < 5000; ++i)
      source.intern(i == 0 ? "AAPL" : i == 1 ? "" : i == 2 ? "MSFT" : std::to_string(i));
    file->append_from(source, 5000);
    file->sync();
    EXPECT_EQ(file->size(), 5000u);
  }
  SymbolDictionary read;
  const auto file = open(files, 5000, &read);
  ASSERT_EQ(read.size(), 5000u);
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(read.at(i), source.at(i));
  EXPECT_EQ(findings(files, 5000), 0u);
}

TEST(DictionaryFile, WhatTheManifestDoesNotNameIsOverwritten) {
  SimulatedFileSystem files;
  {
    const auto file = DictionaryFile::create(files, "d", kDatabase, kTable, kColumn);
    append(*file, {"a", "b"});
    append(*file, {"lost", "in a crash", "and longer than what comes next"});
  }
  {
    SymbolDictionary read;
    const auto file = open(files, 2, &read);
    EXPECT_EQ(read.size(), 2u);
    append(*file, {"c"});
  }
  SymbolDictionary read;
  open(files, 3, &read);
  EXPECT_EQ(read.at(2), "c");
  EXPECT_EQ(findings(files, 3), 0u);
}

TEST(DictionaryFile, LargeAppendsBecomeSeveralBlocks) {
  SimulatedFileSystem files;
  const std::string large(3 << 20, 'x');
  std::vector<std::string> texts;
  for (int i = 0; i < 4; ++i) texts.push_back(std::to_string(i) + large);
  const auto file = DictionaryFile::create(files, "d", kDatabase, kTable, kColumn);
  append(*file, {texts.begin(), texts.end()});
  SymbolDictionary read;
  open(files, 4, &read);
  EXPECT_EQ(read.at(3), texts[3]);
}

TEST(DictionaryFile, EveryFlippedBitIsFound) {
  SimulatedFileSystem files;
  {
    const auto file = DictionaryFile::create(files, "d", kDatabase, kTable, kColumn);
    append(*file, {"one", "two"});
    append(*file, {"three"});
  }
  const uint64_t size = files.file_size("d").value();
  for (uint64_t offset = 0; offset < size; ++offset) {
    for (int bit = 0; bit < 8; ++bit) {
      files.flip_byte("d", offset, static_cast<uint8_t>(1 << bit));
      SymbolDictionary read;
      try {
        open(files, 3, &read);
        FAIL() << offset;
      } catch (const SqlError& error) { ASSERT_EQ(error.sqlstate(), sqlstate::kDataCorrupted); }
      ASSERT_EQ(findings(files, 3), 1u);
      files.flip_byte("d", offset, static_cast<uint8_t>(1 << bit));
    }
  }
}

TEST(DictionaryFile, RefusesWhatItCannotHold) {
  SimulatedFileSystem files;
  {
    const auto file = DictionaryFile::create(files, "d", kDatabase, kTable, kColumn);
    append(*file, {"a", "b"});
    append(*file, {"a"});
  }
  SymbolDictionary read, again, third, other;
  EXPECT_THROW(open(files, 1, &read), SqlError);   // not the end of a block
  EXPECT_THROW(open(files, 3, &again), SqlError);  // a string twice
  EXPECT_THROW(open(files, 9, &third), SqlError);  // more than there are
  EXPECT_THROW(read_dictionary_file(files, "d", kDatabase, kTable, ColumnId{8}, 2, [](std::string_view) {}),
               SqlError);
}

}  // namespace
}  // namespace idem
