#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "common/temporary_folder.h"
#include "storage/vector.h"

namespace idem {

// A block of rows in a SpillFile.
struct SpillBlock {
  uint64_t offset = 0;
  uint32_t stored_bytes = 0;
  uint32_t rows = 0;
};

// Rows that an operator has put out of memory, in blocks of at most kVectorSize rows, column by column.
//
//   block    raw bytes u32 │ CRC-32C of what follows u32 │ columns, as LZ4 block unless that is not shorter
//   column   kind u8 │ dictionary u32 (codes) │ validity words (if any row is NULL) │ elements
//            elements of strings: lengths u32, then the characters
//
// A symbol column is written as codes; the file remembers their dictionaries. Any thread may write and read. The file
// has no name: it is gone when this object is, and when the process ends.
class SpillFile {
 public:
  // Memory of one thread, used again for each block.
  struct Scratch {
    std::vector<char> raw, stored;  // one block before it is compressed; blocks that are not written yet
  };

  SpillFile(TemporaryFolder& folder, std::vector<SqlType> types);

  const std::vector<SqlType>& types() const { return types_; }
  uint64_t bytes() const { return end_.load(std::memory_order_relaxed); }

  // Writes the selected rows, at least one, of the first types().size() columns. 53100 when the disk is full.
  SpillBlock write(std::span<const Vector> columns, Selection selection, Scratch& scratch);
  // The same for many small blocks at once: encode() puts a block behind those in `scratch.stored`, where its offset counts from;
  // place() writes them all and returns the offset of the first.
  SpillBlock encode(std::span<const Vector> columns, Selection selection, Scratch& scratch);
  uint64_t place(Scratch& scratch);
  // Vectors own their memory. SYMBOL columns come as codes or, where they were written so, as strings.
  void read(const SpillBlock& block, Scratch& scratch, DataChunk* out) const;

 private:
  using Dictionary =
      std::pair<const SymbolDictionary*, std::shared_ptr<const void>>;  // and what keeps it alive
  uint32_t number_of(const Vector& vector);
  Dictionary dictionary(uint32_t number) const;
  void encode_column(const Vector& vector, Selection selection, std::vector<char>& out);

  const std::vector<SqlType> types_;
  std::unique_ptr<File> file_;
  std::atomic<uint64_t> end_{0};
  mutable std::mutex mutex_;
  std::vector<Dictionary> dictionaries_;  // guarded by mutex_
};

}  // namespace idem
