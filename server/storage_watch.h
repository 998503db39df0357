#pragma once

#include <string>

#include "server/repeated_look.h"

namespace idem {

class Database;

// Says in the server's log, once for each reason, that a checkpoint failed or that no more writes are taken, and that checkpoints
// succeed again: what happens in the background has no client to be told. Looks every few seconds, on a thread of the network, from
// start() until the network stops. Refers to both.
class StorageWatch {
 public:
  StorageWatch(boost::asio::io_context& io, const Database& database)
      : timer_(io, [this] { look(); }), database_(database) {}
  void start() { timer_.start(); }

 private:
  void look();

  RepeatedLook timer_;
  const Database& database_;
  std::string failure_;  // said last; empty: all was well
};

}  // namespace idem
