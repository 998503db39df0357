#pragma once

#include <string_view>

#include "common/error.h"

namespace idem {

// What is said of a name in another database than the session's.
inline SqlError cross_database_error(std::string_view database, std::string_view schema,
                                     std::string_view name) {
  return sql_error(sqlstate::kFeatureNotSupported,
                   "cross-database references are not supported: \"{}.{}.{}\"", database, schema, name);
}

}  // namespace idem
