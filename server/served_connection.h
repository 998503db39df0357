#pragma once

#include "common/error.h"

namespace idem {

// A connection as its listener sees it. It keeps itself alive while it is served.
class ServedConnection {
 public:
  virtual ~ServedConnection() = default;
  virtual void start() = 0;
  // Ends it from outside, after cancelling what runs. Any thread, any number of times.
  virtual void shut_down(const SqlError& reason) = 0;
};

}  // namespace idem
