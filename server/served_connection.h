#pragma once

#include "common/error.h"

namespace idem {

// A connection as its listener sees it. It keeps itself alive while it is served.
class ServedConnection {
 public:
  virtual ~ServedConnection() = default;
  virtual void start() = 0;
  // Ends it from outside: when it waits for nothing and has no transaction open, or at once, after cancelling what runs. Any thread, any
  // number of times.
  virtual void shut_down(const SqlError& reason, bool at_once) = 0;
};

}  // namespace idem
