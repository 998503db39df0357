#include "parser/keyword.h"

#include <array>
#include <cstddef>

namespace idem::parser {
namespace {

struct Entry {
  std::string_view spelling;
  KeywordClass keyword_class = KeywordClass::kUnreserved;
  bool bare_label = true;
};

constexpr auto kEntries = std::to_array<Entry>({{"", KeywordClass::kUnreserved, true},
#define IDEM_KEYWORD_ENTRY(name, spelling, keyword_class, bare_label) \
  {spelling, KeywordClass::keyword_class, bare_label},
                                                IDEM_KEYWORDS(IDEM_KEYWORD_ENTRY)
#undef IDEM_KEYWORD_ENTRY
});

constexpr size_t longest_keyword() {
  size_t longest = 0;
  for (const Entry& e : kEntries) longest = e.spelling.size() > longest ? e.spelling.size() : longest;
  return longest;
}
constexpr size_t kLongest = longest_keyword();

constexpr size_t kSlots = 2048;  // open addressing, a quarter full
static_assert(kEntries.size() * 3 < kSlots);

constexpr uint32_t hash_step(uint32_t hash, char c) { return (hash ^ static_cast<uint8_t>(c)) * 16777619u; }
constexpr size_t slot_of(uint32_t hash) { return (hash ^ (hash >> 15)) % kSlots; }

constexpr std::array<uint16_t, kSlots> build_slots() {
  std::array<uint16_t, kSlots> slots{};
  for (size_t i = 1; i < kEntries.size(); ++i) {
    uint32_t hash = 2166136261u;
    for (char c : kEntries[i].spelling) hash = hash_step(hash, c);
    size_t slot = slot_of(hash);
    while (slots[slot] != 0) slot = (slot + 1) % kSlots;
    slots[slot] = static_cast<uint16_t>(i);
  }
  return slots;
}
constexpr std::array<uint16_t, kSlots> kSlotTable = build_slots();

const Entry& entry(Keyword keyword) { return kEntries[static_cast<size_t>(keyword)]; }

}  // namespace

Keyword find_keyword(std::string_view word) {
  if (word.size() > kLongest) return Keyword::kNotKeyword;
  char folded[kLongest];
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < word.size(); ++i) {
    char c = word[i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    folded[i] = c;
    hash = hash_step(hash, c);
  }
  const std::string_view key(folded, word.size());
  for (size_t slot = slot_of(hash); kSlotTable[slot] != 0; slot = (slot + 1) % kSlots) {
    if (kEntries[kSlotTable[slot]].spelling == key) return static_cast<Keyword>(kSlotTable[slot]);
  }
  return Keyword::kNotKeyword;
}

std::string_view keyword_spelling(Keyword keyword) { return entry(keyword).spelling; }
KeywordClass keyword_class(Keyword keyword) { return entry(keyword).keyword_class; }
bool is_bare_label(Keyword keyword) { return entry(keyword).bare_label; }

}  // namespace idem::parser
