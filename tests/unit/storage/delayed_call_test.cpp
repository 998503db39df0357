// Every call of the file layer is held up in turn. Meanwhile others read, and beside a checkpoint or VACUUM they commit, too: none of them
// waits for the call, and nothing is lost.

#include <thread>

#include "tests/unit/storage/fault_injection.h"

namespace idem::simulation {
namespace {

// Holds up call `number` of those that the calling thread makes until another one has done `meanwhile`.
class Delay {
 public:
  Delay(SimulatedFileSystem& files, uint64_t number, std::function<void()> meanwhile)
      : files_(files),
        number_(number),
        meanwhile_(std::move(meanwhile)),
        delayed_(std::this_thread::get_id()) {
    files_.on_call([this](FileOp, const std::string&) {
      if (std::this_thread::get_id() != delayed_ || ++calls_ != number_) return;
      std::thread other([this] {
        try {
          meanwhile_();
        } catch (...) { error_ = std::current_exception(); }
      });
      other.join();
    });
  }
  ~Delay() { files_.on_call({}); }
  bool happened() const { return calls_ >= number_; }
  void throw_if_failed() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  SimulatedFileSystem& files_;
  const uint64_t number_;
  const std::function<void()> meanwhile_;
  const std::thread::id delayed_;
  uint64_t calls_ = 0;
  std::exception_ptr error_;
};

// Whatever call of `work` is delayed, what is done meanwhile succeeds; then the database is what the model says, and after a crash.
void delay_each_call(const std::function<void(CheckedDatabase&)>& prepare,
                     const std::function<void(CheckedDatabase&)>& work,
                     const std::function<void(CheckedDatabase&)>& meanwhile) {
  const Base base = make_base(true);
  bool happened = true;
  uint64_t number = 1;
  for (; happened; ++number) {
    SCOPED_TRACE(number);
    CheckedDatabase database(base.files->copy(), base.world);
    database.open();
    prepare(database);
    {
      Delay delay(database.files(), number, [&] { meanwhile(database); });
      work(database);
      happened = delay.happened();
      delay.throw_if_failed();
    }
    database.check();
    check_works(database);
    database.crash(number, Unsynced::kRandom);
    database.open();
    check_works(database);
  }
  EXPECT_GT(number, 10u);
}

void change_something(CheckedDatabase& database) {
  Script script(database);
  script.insert("prices", 200, 30);
  script.insert("events", 201, 5);
  script.on("devices", [](CheckedTransaction& t, TableId id) { t.remove(id, {1, 2}); });
  script.on("prices", [](CheckedTransaction& t, TableId id) { t.remove(id, {3}); });
}

// Late rows, replaced ones, an emptied table, a new one.
void commit_something(CheckedDatabase& database) {
  Script script(database);
  script.insert("prices", 210, 10);
  script.on("events", [](CheckedTransaction& t, TableId id) { t.truncate(id); });
  script.insert("devices", 211, 6);
  script.create(Shape::kTimeNoKeys, "others");
  script.insert("others", 212, 4);
  EXPECT_EQ(script.failures(), 0);
  database.check();
}

TEST(DelayedCallTest, CommitsDoNotWaitForACheckpoint) {
  delay_each_call(
      change_something, [](CheckedDatabase& database) { database.database().checkpoint(); },
      commit_something);
}

TEST(DelayedCallTest, CommitsDoNotWaitForCompactionAndVacuum) {
  const auto prepare = [](CheckedDatabase& database) {
    change_something(database);
    database.checkpoint();
    Script script(database);
    script.on("prices", [](CheckedTransaction& t, TableId id) { t.remove(id, {0, 5}); });
    script.on("events", [](CheckedTransaction& t, TableId id) { t.truncate(id); });
    database.keeps_versions = false;
  };
  const auto vacuum = [](CheckedDatabase& database) {
    RetentionRequest all;
    all.retain_micros = 0;
    all.gives_back_log = true;
    database.database().vacuum(all);
    database.database().checkpoint();
  };
  delay_each_call(prepare, vacuum, commit_something);
}

TEST(DelayedCallTest, ReadersDoNotWaitForACommit) {
  const auto nothing = [](CheckedDatabase&) {};
  delay_each_call(nothing, change_something, [](CheckedDatabase& database) { database.check(); });
}

TEST(DelayedCallTest, ReadersDoNotWaitForALargeLoad) {
  const auto stream = [](CheckedDatabase& database) {
    database.options.load = {.batch_rows = 1,
                             .group_rows = 64,
                             .left_behind_rows = 2,
                             .load_rows = 1,
                             .encoded_rows = 2,
                             .dense_rows = 2};
    database.close(false);
    database.open();
  };
  delay_each_call(stream, change_something, [](CheckedDatabase& database) { database.check(); });
}

}  // namespace
}  // namespace idem::simulation
