#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "storage/backup.h"
#include "tests/simulation/checked_database.h"

namespace idem::simulation {

// All random choices of one history come from one of these.
class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  uint64_t below(uint64_t n) { return random_() % n; }
  bool chance(uint32_t percent) { return below(100) < percent; }

 private:
  std::mt19937_64 random_;
};

// One history: sessions with interleaved transactions on a few tables, checkpoints, crashes, kills and
// restarts, calls that fail, a disk that is full and gets room again. One seed gives one history, to the
// byte.
//
//   step 17: session 2: insert 3 rows into t1
//   step 18: session 0: commit
//   step 19: call 12 from now fails
//   step 20: checkpoint ── fails: nothing is lost, the next one succeeds
//   step 21: crash, restart: every acknowledged commit is there, every other whole or not at all
//
// Throws Violation where the database is not what the model says.
class Simulation {
 public:
  Simulation(uint64_t seed, bool trace);
  ~Simulation();
  void run(uint64_t steps);
  // Of all that happened: two runs of one seed must give the same.
  uint64_t fingerprint() const { return fingerprint_; }
  uint64_t commits() const { return commits_; }
  uint64_t restarts() const { return restarts_; }

 private:
  struct Session {
    std::unique_ptr<CheckedTransaction> transaction;
    std::string run;               // the key of the run that the transaction is
    bool reads_committed = false;  // each statement sees what was committed before it
  };
  // A reader that keeps its snapshot while others write.
  struct Reader {
    Snapshot snapshot;
    std::shared_ptr<const World> world;
  };

  void note(const std::string& what);
  void step();
  void step_session();
  bool begin(Session& session, size_t number);
  void operate(Session& session, size_t number);
  void commit(Session& session, size_t number);
  TableId pick_table(const World& view);
  void create_table(Session& session);
  void undrop_table(Session& session, size_t number);
  void alter_table(Session& session, TableId table);
  void insert(Session& session, TableId table);
  void commit_together();
  std::vector<size_t> pick_rows(const ModelTable& model);
  void merge(Session& session, TableId table);
  void refresh(Session& session, size_t number, TableId source);
  void change_rows(Session& session, TableId table, bool remove);
  int64_t pick_partition(const ModelTable& model);
  void drop_partition(Session& session, TableId table);
  void move_partition(Session& session, size_t number, TableId table);
  Value value_for(const ColumnSchema& column, bool is_timestamp);
  TableModel::Row row_for(const TableSchema& schema);
  void break_disk();
  void repair_disk();
  void read();
  void back_up();
  void read_past();
  void vacuum();
  void restart();
  void leave();
  void reopen();
  void failed(const SqlError& error);
  bool disk_is_bad() const { return faults_armed_ || full_; }

  Dice dice_;
  const bool trace_;
  uint64_t step_ = 0, fingerprint_ = 0, commits_ = 0, restarts_ = 0;
  uint32_t next_name_ = 0;
  uint64_t times_ = 0, symbols_ = 0;  // how many there are to choose from
  uint32_t ddl_percent_ = 0, fault_percent_ = 0, asynchronous_percent_ = 0;
  CheckedDatabase database_;
  std::vector<Session> sessions_;
  std::vector<Reader> readers_;
  bool faults_armed_ = false, full_ = false;
  std::string backup_;  // a folder; "" if there is none
  std::shared_ptr<const World> backed_up_;
};

}  // namespace idem::simulation
