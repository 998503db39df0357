#pragma once

#include <string>
#include <vector>

#include "parser/ast_statement.h"
#include "query/copy_format.h"

namespace idem {

class SessionState;

// COPY … ON_NEW_COLUMN add: holds the begin of a CSV file until enough of it is there to know the types of the columns that its header
// names and the table lacks.
class NewColumns {
 public:
  // 42601 without a header, with a column list, or for another format; 0A000 for an ESCAPE of its own. The session has checked that the
  // table may be loaded.
  NewColumns(SessionState& session, const ast::CopyStatement& statement, const CopyFormat& format);

  void feed(std::string_view bytes) { sample_ += bytes; }
  bool has_enough() const;
  // Adds the columns, of types that hold all values of the sample (common/csv_guess.h), in the session's transaction: 42501 unless
  // the user owns the table. The columns of the file, in its order; none if it is empty. 22P04 if its header does not end.
  std::vector<ast::Identifier> add(bool is_end);
  std::string take_sample() { return std::move(sample_); }

 private:
  SessionState& session_;
  const ast::ObjectName& table_;
  const CopyFormat& format_;
  std::string sample_;
};

}  // namespace idem
