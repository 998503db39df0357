#include "storage/column_batch.h"

#include <gtest/gtest.h>
#include <random>
#include <set>
#include <string>

#include "storage/symbol_dictionary.h"

namespace idem {
namespace {

// Of every length, and many that differ in one place only: each row has the text that it was given, equal ones have one code.
TEST(BatchColumn, KeepsSymbolsApart) {
  const auto dictionary = std::make_shared<SymbolDictionary>();
  BatchColumn column(TypeId::kSymbol, dictionary);
  std::mt19937 random(1);
  std::vector<std::string> texts;
  for (int i = 0; i < 50'000; ++i) {
    std::string text(random() % 40, 'a');
    if (!text.empty()) text[random() % text.size()] = static_cast<char>('a' + random() % 4);
    texts.push_back(text);
    column.append_string(text);
  }
  for (uint32_t row = 0; row < texts.size(); ++row) ASSERT_EQ(column.string_at(row), texts[row]);
  EXPECT_EQ(dictionary->size(), std::set<std::string>(texts.begin(), texts.end()).size());
}

}  // namespace
}  // namespace idem
