// One client that inserts rows with a prepared statement in libpq's pipeline mode, a Sync every ROWS rows, and up to FLIGHT Syncs before it
// waits for the first of them. Prints the rows that were acknowledged in a second.
//
//   pipelined_inserts CONNECTION SECONDS ROWS FLIGHT
//
// The table is trades (ts timestamp, sym, price, amount). For bench/commits.sh.

#include <array>
#include <chrono>
#include <ctime>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

using Connection = std::unique_ptr<PGconn, void (*)(PGconn*)>;
using Result = std::unique_ptr<PGresult, void (*)(PGresult*)>;

void require(bool done, PGconn* connection) {
  if (!done) throw std::runtime_error(PQerrorMessage(connection));
}

void send_row(PGconn* connection, uint64_t row) {
  const uint64_t micros = row * 64;
  const time_t seconds = 1'800'000'000 + static_cast<time_t>(micros / 1'000'000);
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 24> day{};
  std::strftime(day.data(), day.size(), "%Y-%m-%d %H:%M:%S", &parts);
  const std::string ts = fmt::format("{}.{:06}", day.data(), micros % 1'000'000),
                    symbol = fmt::format("T{:03}", row % 100), price = fmt::format("{}.25", 100 + row % 1000);
  const std::array<const char*, 4> values{ts.c_str(), symbol.c_str(), price.c_str(), "2.5"};
  require(PQsendQueryPrepared(connection, "i", values.size(), values.data(), nullptr, nullptr, 0) == 1,
          connection);
}

void receive_sync(PGconn* connection) {
  while (true) {
    const Result result(PQgetResult(connection), PQclear);
    if (!result) continue;  // the end of a statement's results
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_PIPELINE_SYNC) return;
    require(status == PGRES_COMMAND_OK, connection);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const double seconds = std::stod(argv[2]);
  const uint64_t rows = std::stoull(argv[3]), flight = std::stoull(argv[4]);
  const Connection owned(PQconnectdb(argv[1]), PQfinish);
  PGconn* const connection = owned.get();
  require(PQstatus(connection) == CONNECTION_OK, connection);
  const Result prepared(PQprepare(connection, "i", "INSERT INTO trades VALUES ($1, $2, $3, $4)", 4, nullptr),
                        PQclear);
  require(PQresultStatus(prepared.get()) == PGRES_COMMAND_OK, connection);
  require(PQenterPipelineMode(connection) == 1, connection);

  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  uint64_t sent = 0, synced = 0;
  while (passed() < seconds) {
    for (; sent < synced + rows * flight; sent += rows) {
      for (uint64_t i = 0; i < rows; ++i) send_row(connection, sent + i);
      require(PQpipelineSync(connection) == 1, connection);
    }
    receive_sync(connection);
    synced += rows;
  }
  fmt::print("{:.0f}\n", static_cast<double>(synced) / passed());
}
