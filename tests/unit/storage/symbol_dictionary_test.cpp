#include "storage/symbol_dictionary.h"

#include <barrier>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

namespace idem {
namespace {

TEST(SymbolDictionary, GivesEachTextOneCode) {
  SymbolDictionary dictionary;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5'000; ++i) EXPECT_EQ(dictionary.intern(fmt::format("{0}{0}{0}", i)), i);
  }
  EXPECT_EQ(dictionary.size(), 5'000u);
  EXPECT_EQ(dictionary.find("111"), 1);
  EXPECT_EQ(dictionary.find("11"), std::nullopt);
  EXPECT_EQ(dictionary.at(4'999), "499949994999");
}

// Threads that add texts look where others are just adding theirs.
TEST(SymbolDictionary, ThreadsNeverGetTheCodeOfAnotherText) {
  constexpr int kThreads = 4, kRounds = 2000, kTexts = 400;
  std::vector<std::unique_ptr<SymbolDictionary>> dictionaries;
  for (int i = 0; i < kRounds; ++i) dictionaries.push_back(std::make_unique<SymbolDictionary>());
  std::barrier together(kThreads);
  std::vector<int> wrong(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::vector<std::string> texts;
      for (int i = 0; i < kTexts; ++i) texts.push_back(fmt::format("t{}", (i * 7 + t * 3) % (kTexts * 2)));
      for (const auto& dictionary : dictionaries) {
        together.arrive_and_wait();
        for (const std::string& text : texts) wrong[t] += dictionary->at(dictionary->intern(text)) != text;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(kThreads));
}

}  // namespace
}  // namespace idem
