#pragma once

#include "query/session.h"
#include "server/http_message.h"

namespace idem {

// /imp: loads a CSV file that comes as the body, or as a part of a form, into a table, which it creates if there is none (docs/http.md). The
// file is not held in memory. Every error of the load is in the answer, and nothing was loaded then; throws ConnectionClosed.
HttpAnswer import_csv(Session& session, const HttpRequest& request, HttpChannel& channel);

}  // namespace idem
