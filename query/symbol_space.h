#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/vector.h"

namespace idem {

class SymbolDictionary;

// Dense numbers for the strings of one symbol key, whatever dictionaries its vectors come with. NULL is -1.
//
// Codes of the first dictionary are their own numbers; strings of other dictionaries that it has not get the
// numbers behind it. A dictionary that grows meanwhile does no harm: its size at the first sight counts. One
// thread at a time.
class SymbolSpace {
 public:
  static constexpr int32_t kNull = -1, kMissing = -2;

  // out[i] = number of the i-th selected row. With `add` false a string that has no number is kMissing.
  void numbers(const Vector& vector, Selection selection, bool add, int32_t* out);
  // The same string has the same number in both, if it has one.
  bool agrees_with(const SymbolSpace& other) const {
    return home_ == other.home_ && extra_.empty() && other.extra_.empty();
  }
  // Numbers given out are below this.
  uint32_t size() const { return home_size_ + static_cast<uint32_t>(extra_.size()); }

 private:
  int32_t number_of(std::string_view text, bool add);
  int32_t translate(const SymbolDictionary& dictionary, int32_t code, bool add);

  const SymbolDictionary* home_ = nullptr;
  std::shared_ptr<const void> home_owner_;
  uint32_t home_size_ = 0;
  std::unordered_map<std::string, int32_t> extra_;
  std::unordered_map<const SymbolDictionary*, std::vector<int32_t>>
      translations_;  // kUnknown: not looked up yet
  std::vector<std::shared_ptr<const void>> owners_;
};

}  // namespace idem
