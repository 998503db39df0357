#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string_view>

namespace idem {

// The strings of one SYMBOL column: code ⇄ string, dense codes from 0 in order of first appearance.
//
// Append-only and shared by all versions of the table. Codes are handed out when a batch is prepared (also
// by a transaction that later rolls back: an unused code is harmless) and never change. at() takes no lock and is valid
// for every code that came from this dictionary; strings live as long as it does.
class SymbolDictionary {
 public:
  SymbolDictionary();
  ~SymbolDictionary();
  SymbolDictionary(const SymbolDictionary&) = delete;
  SymbolDictionary& operator=(const SymbolDictionary&) = delete;

  uint32_t size() const { return size_.load(std::memory_order_acquire); }
  std::string_view at(int32_t code) const;
  std::optional<int32_t> find(std::string_view text) const;
  int32_t intern(std::string_view text);  // find or append
  size_t memory_bytes() const;

  // Codes below this are in the log or in the dictionary file already; a commit logs [logged(), highest code it uses]
  // and advances it, under the table's latch.
  uint32_t logged() const { return logged_; }
  void set_logged(uint32_t count) { logged_ = count; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::atomic<uint32_t> size_{0};
  uint32_t logged_ = 0;
};

}  // namespace idem
