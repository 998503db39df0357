#pragma once

#include <cstdint>

namespace idem {

// How clients that vanished without a word are found out, so that what they hold is given back: PostgreSQL's tcp_keepalives_idle, …
// 0: as the system does.
struct KeepAlive {
  uint32_t idle_seconds = 60, interval_seconds = 10, count = 6;
  uint32_t user_timeout_ms =
      0;  // for what was sent to be acknowledged, also by a client that reads nothing for so long
};

}  // namespace idem
