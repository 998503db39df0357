#pragma once

#include <memory>
#include <string>
#include <vector>

#include "parser/ast_statement.h"
#include "query/session.h"
#include "storage/run.h"
#include "storage/run_locks.h"

namespace idem {

// The run that a session's transaction is (BEGIN RUN, SET run). Lives from its beginning to the end of the
// transaction, when its commit is visible, so that another session that starts the same key waits until then.
//
//   executing:  each write runs; its hash and tag are noted and committed with the run
//   skipping:   the key was committed before; each write is compared with the one at its place and answered
//   with its tag
class SessionRun {
 public:
  SessionRun(std::string key, RunLock lock, std::shared_ptr<const Run> first)
      : key_(std::move(key)), lock_(std::move(lock)), first_(std::move(first)) {}

  const std::string& key() const { return key_; }
  bool skips() const { return first_ != nullptr; }
  void note_write(uint64_t text_hash, std::string tag) { writes_.push_back({text_hash, std::move(tag)}); }
  std::vector<RunWrite> take_writes() { return std::move(writes_); }
  // The tag of the first time. Throws SqlError 55000 where the first execution had no such write at this
  // place.
  const std::string& skip_write(uint64_t text_hash);

 private:
  std::string key_;
  RunLock lock_;
  std::shared_ptr<const Run> first_;  // null: executing
  size_t skipped_ = 0;
  std::vector<RunWrite> writes_;
};

// Whether a statement changes what a transaction commits, so that a run notes or skips it.
bool is_run_write(const ast::Statement& statement);

}  // namespace idem
