#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "common/string_arena.h"
#include "storage/symbol_dictionary.h"
#include "storage/vector.h"

namespace idem {

// What a function says of the strings of one dictionary, remembered by code. Strings are looked at when a row
// first brings their code, so that an error comes only from a string that some row has.
class CodeMemory {
 public:
  // Computes the function for `count` strings: a flat VARCHAR vector in, values of one type out.
  using Compute = std::function<void(const Vector& strings, uint32_t count, Vector* results)>;

  // Whether it is worth it for this dictionary.
  static bool suits(const Vector& symbols);

  // Forgets everything if `symbols` has another dictionary than last time.
  void learn(const Vector& symbols, Selection selection, const Compute& compute);
  void forget() { dictionary_ = nullptr; }

  // After learn(): the values at the selected rows.
  void gather(const Vector& symbols, uint32_t size, Selection selection, SqlType type, Vector* result) const;
  uint32_t select(const Vector& symbols, Selection selection, bool wanted,
                  uint16_t* out) const;  // of booleans

 private:
  enum State : uint8_t { kUnknown, kValue, kNull };
  void add(const std::vector<int32_t>& codes, const Compute& compute);

  const SymbolDictionary* dictionary_ = nullptr;
  std::shared_ptr<const void> dictionary_owner_;
  std::vector<uint8_t> states_;  // by code
  std::vector<char> elements_;   // by code, in the layout of the result's physical type
  size_t width_ = 0;
  bool is_text_ = false;
  std::shared_ptr<StringArena> characters_;
};

}  // namespace idem
