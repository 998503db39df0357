#pragma once

#include <string>
#include <vector>

#include "common/value_text.h"
#include "query/copy_format.h"
#include "query/logical_plan.h"

namespace idem {

// Writes chunks of a result as the rows of COPY TO.
class CopyWriter {
 public:
  CopyWriter(const CopyFormat& format, std::vector<PlanColumn> columns, const TextOptions& text);

  // What stands before the first row (header line, or binary header without the end of a row); often empty.
  void begin(std::string& out);
  // Appends each selected row, its end offset in *row_ends.
  void write(const DataChunk& chunk, std::string& out, std::vector<uint32_t>* row_ends);
  void end(std::string& out);  // binary trailer

 private:
  void write_text(std::string& out, std::string_view text) const;
  void write_csv(std::string& out, std::string_view text, bool force_quote) const;

  CopyFormat format_;
  std::vector<PlanColumn> columns_;
  std::vector<SqlType> types_;  // as written: symbols are VARCHAR
  std::vector<bool> force_quote_;
  TextOptions text_;
  std::string scratch_;
};

}  // namespace idem
