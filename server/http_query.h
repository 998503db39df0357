#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "query/session.h"
#include "server/http_message.h"

namespace idem {

// What /exec and /exp are asked for (docs/http.md).
struct HttpQuery {
  enum class Format : uint8_t { kJson, kCsv };

  std::string text;
  std::optional<std::vector<std::optional<std::string>>>
      arguments;                                 // of $1 …; without them several statements are allowed
  uint64_t first_row = 0, end_row = UINT64_MAX;  // of the result that are sent
  bool counts_all = false, has_metadata = true, has_timings = false, has_plan = false,
       quotes_large_numbers = false;
  std::optional<int64_t> timeout_ms;
  Format format = Format::kJson;
  char delimiter = ',';
};

// From the parameters of the URL and the body, of which some may be nothing. 22023 for what is unknown or cannot be, 54000, 22P02.
HttpQuery parse_http_query(const HttpRequest& request, HttpChannel& channel, HttpQuery::Format format);

// Runs the query in the session and writes the result of its last statement. Every error of the query is in the answer; throws
// ConnectionClosed where the client has gone, the query undone. `clock` is for timings.
HttpAnswer run_http_query(Session& session, const HttpQuery& query, HttpChannel& channel, Clock& clock);

}  // namespace idem
