#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast_statement.h"
#include "storage/schema.h"

namespace idem {

// The options of COPY, checked (42601, 0A000, 22023).
struct CopyFormat {
  enum class Kind : uint8_t { kText, kCsv, kBinary };
  enum class Header : uint8_t { kNone, kSkip, kMatch };
  enum class OnError : uint8_t { kStop, kIgnore, kSetNull };
  Kind kind = Kind::kText;
  Header header = Header::kNone;
  char delimiter = '\t', quote = '"', escape = '"';
  std::string null = "\\N";
  std::vector<std::string> force_null, force_not_null, force_quote;  // column names
  bool force_quote_all = false;
  OnError on_error = OnError::kStop;
  std::optional<uint64_t> reject_limit;
  bool add_new_columns = false;
  enum class Overwrite : uint8_t { kNone, kAll, kDynamic } overwrite = Overwrite::kNone;
};
CopyFormat parse_copy_format(const ast::CopyStatement& statement);

}  // namespace idem
