#include "query/symbol_space.h"

#include <algorithm>

#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

constexpr int32_t kUnknown = -3;

}  // namespace

int32_t SymbolSpace::number_of(std::string_view text, bool add) {
  if (home_) {
    const auto code = home_->find(text);
    if (code && static_cast<uint32_t>(*code) < home_size_) return *code;
  }
  const auto it = extra_.find(std::string(text));
  if (it != extra_.end()) return it->second;
  if (!add) return kMissing;
  const auto number = static_cast<int32_t>(size());
  extra_.emplace(std::string(text), number);
  return number;
}

int32_t SymbolSpace::translate(const SymbolDictionary& dictionary, int32_t code, bool add) {
  auto [it, is_new] = translations_.try_emplace(&dictionary);
  std::vector<int32_t>& known = it->second;
  if (static_cast<size_t>(code) >= known.size()) {
    known.resize(std::max<size_t>(dictionary.size(), static_cast<size_t>(code) + 1), kUnknown);
  }
  int32_t& number = known[static_cast<size_t>(code)];
  if (number == kUnknown || (number == kMissing && add)) number = number_of(dictionary.at(code), add);
  return number;
}

void SymbolSpace::numbers(const Vector& vector, Selection selection, bool add, int32_t* out) {
  if (vector.type.id != TypeId::kSymbol && !vector.dictionary) {  // plain strings
    const std::string_view* texts = vector.values<std::string_view>();
    for (uint32_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      out[i] = vector.is_valid(row) ? number_of(texts[vector.is_constant() ? 0 : row], add) : kNull;
    }
    return;
  }
  const SymbolDictionary* dictionary = vector.dictionary;
  const int32_t* codes = vector.values<int32_t>();
  // Without numbers of its own yet, the space takes over the first dictionary; a reader (`add` false) never
  // does.
  if (dictionary && !home_ && extra_.empty() && add) {
    home_ = dictionary;
    home_owner_ = vector.owner;
    home_size_ = dictionary->size();
  }
  if (vector.is_constant()) {
    int32_t number = kNull;
    if (vector.is_valid(0) && dictionary) {
      const int32_t code = codes[0];
      const bool own = dictionary == home_ && static_cast<uint32_t>(code) < home_size_;
      number = own ? code : translate(*dictionary, code, add);
    }
    std::fill_n(out, selection.count, number);
    return;
  }
  if (dictionary == home_) {
    int32_t highest = -1;
    for (uint32_t i = 0; i < selection.count; ++i) {
      out[i] = codes[selection[i]];
      highest = std::max(highest, out[i]);
    }
    if (highest < static_cast<int32_t>(home_size_)) return;
  } else if (dictionary && vector.owner &&
             std::find(owners_.begin(), owners_.end(), vector.owner) == owners_.end()) {
    // Translations are found by address, so the dictionary must not be replaced by another one there.
    if (owners_.size() < 64) owners_.push_back(vector.owner);
  }
  for (uint32_t i = 0; i < selection.count; ++i) {
    const int32_t code = codes[selection[i]];
    if (code < 0 || !dictionary) {
      out[i] = kNull;
    } else if (dictionary == home_ && static_cast<uint32_t>(code) < home_size_) {
      out[i] = code;
    } else {
      out[i] = translate(*dictionary, code, add);
    }
  }
}

}  // namespace idem
