#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "query/copy_block.h"

namespace idem {

class WorkerPool;

// Turns the bytes of COPY FROM into column batches.
//
//   pieces of any size ──▶ blocks of whole rows ──▶ workers: CopyBlockReader ──▶ in their order: sink
//
// A row that does not fit is an error with PostgreSQL's text and the context "COPY t, line 3, column qty: "abc""
// (or is left out and counted, with ON_ERROR ignore); it may be thrown some feeds later. Where rows can not be told
// apart without reading all before them (binary, an ESCAPE other than the quote) the caller's thread reads alone.
class CopyReader {
 public:
  // `workers`: null, or share the reading; outlives the reader. `sink` takes batches, in this object's calls.
  CopyReader(CopyLayout layout, WorkerPool* workers, std::function<void(ColumnBatch&&)> sink);
  ~CopyReader();  // waits for workers that read for it

  void feed(std::string bytes);  // 54000 for a row of more than 1 GiB
  void finish();                 // 22P04 if the data end in the middle of a row

  uint64_t rows() const { return rows_; }
  uint64_t rejected() const { return rejected_; }
  const std::vector<uint64_t>& bad_values() const { return bad_values_; }  // CopyBlock::bad_values, of all

 private:
  struct Piece {
    std::string bytes;
    size_t begin = 0, end = 0;  // what counts of them
  };
  struct Job;
  struct Pipeline;
  // Places behind the first and the last end of a row; npos: there is none.
  struct RowEnds {
    size_t first = std::string::npos, last = std::string::npos;
  };

  RowEnds find_row_ends(std::string_view bytes);
  RowEnds find_csv_ends(std::string_view bytes);
  RowEnds find_text_ends(std::string_view bytes) const;
  bool ends_row(std::string_view bytes, size_t newline) const;
  void carry(std::string_view bytes);
  void add_piece(std::string bytes);
  void dispatch();
  void collect(size_t most_in_flight);
  void consume(Job& job);
  void take(CopyBlock& block);
  void read_alone(bool at_end);
  [[noreturn]] void fail(SqlError error, uint64_t line, const std::string& where) const;

  const std::shared_ptr<Pipeline> pipeline_;
  const CopyLayout& layout_;
  WorkerPool* const workers_;
  const std::function<void(ColumnBatch&&)> sink_;
  const bool alone_;
  std::string gathered_;       // small pieces
  std::string carried_;        // the begin of a row
  size_t enough_alone_;        // of it, for the caller's thread to read
  bool in_quotes_ = false;     // at the end of what came
  char line_end_ = '\n';       // '\r' where there are no others
  std::shared_ptr<Job> open_;  // the block that is being put together; null: none
  std::deque<std::shared_ptr<Job>> in_flight_;
  bool begun_ = false, ended_ = false;
  uint64_t lines_ = 0, rows_ = 0, rejected_ = 0;
  std::vector<uint64_t> bad_values_;
};

}  // namespace idem
