#include <gtest/gtest.h>
#include <set>

#include "tests/harness/test_server.h"

// Every kind of statement against every privilege that it needs: with those alone it is executed; with all others but one of them it is
// 42501. What a statement needs is written here as PostgreSQL's manual has it, or docs/sql.md for what PostgreSQL does not have.

namespace idem::test {
namespace {

using Privileges = std::set<std::string>;

// What can be given to a role, and how. "owner t" makes it a member of the role that owns t, s and v.
const std::string kOwner = "owner";
const std::string kSuperuser = "superuser";

Privileges grantable() {
  Privileges all{"REPLACE ON v", "SELECT ON v", "CREATE ON SCHEMA public"};
  for (const char* const privilege : {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "MAINTAIN"}) {
    all.insert(std::string(privilege) + " ON t");
    all.insert(std::string(privilege) + " ON s");
  }
  return all;
}

struct Case {
  std::string statement;
  Privileges needed;
  bool in_block = true;  // rolled back afterwards; else it changes nothing that others need
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      // Reading.
      {"SELECT * FROM t", {"SELECT ON t"}},
      {"SELECT count(*) FROM t", {"SELECT ON t"}},
      {"TABLE t", {"SELECT ON t"}},
      {"SELECT * FROM v", {"SELECT ON v"}},
      {"SELECT * FROM t JOIN s USING (k)", {"SELECT ON t", "SELECT ON s"}},
      {"SELECT * FROM t ASOF JOIN s", {"SELECT ON t", "SELECT ON s"}},
      {"SELECT (SELECT max(n) FROM s)", {"SELECT ON s"}},
      {"SELECT 1 WHERE EXISTS (SELECT FROM s)", {"SELECT ON s"}},
      {"WITH q AS (SELECT * FROM s) SELECT * FROM q", {"SELECT ON s"}},
      {"SELECT k FROM t UNION ALL SELECT k FROM s", {"SELECT ON t", "SELECT ON s"}},
      {"SELECT * FROM t LATEST ON ts PARTITION BY k", {"SELECT ON t"}},
      {"SELECT ts, sum(n) FROM t SAMPLE BY 1h", {"SELECT ON t"}},
      {"SELECT * FROM t VERSION AS OF 0", {"SELECT ON t"}},
      {"SELECT * FROM table_changes('t', 0)", {"SELECT ON t"}},
      {"EXPLAIN SELECT * FROM t", {"SELECT ON t"}},
      {"DECLARE c CURSOR FOR SELECT * FROM t", {"SELECT ON t"}},
      {"PREPARE p AS SELECT * FROM t", {"SELECT ON t"}, false},
      {"DESCRIBE HISTORY t", {}},
      // Writing.
      {"INSERT INTO t VALUES ('2024-01-01', 'a', 1)", {"INSERT ON t"}},
      {"INSERT INTO t VALUES ('2024-01-01', 'a', 1) RETURNING n", {"INSERT ON t", "SELECT ON t"}},
      {"INSERT INTO t SELECT * FROM s", {"INSERT ON t", "SELECT ON s"}},
      {"WITH q AS (SELECT * FROM s) INSERT INTO t SELECT * FROM q", {"INSERT ON t", "SELECT ON s"}},
      {"INSERT INTO t VALUES ('2024-01-01', 'a', 1) ON CONFLICT (ts, k) DO NOTHING",
       {"INSERT ON t", "SELECT ON t"}},
      {"INSERT INTO t VALUES ('2024-01-01', 'a', 1) ON CONFLICT (ts, k) DO UPDATE SET n = excluded.n",
       {"INSERT ON t", "UPDATE ON t", "SELECT ON t"}},
      {"UPDATE t SET n = 1", {"UPDATE ON t"}},
      {"UPDATE t SET n = n + 1", {"UPDATE ON t", "SELECT ON t"}},
      {"UPDATE t SET n = 1 WHERE k = 'a'", {"UPDATE ON t", "SELECT ON t"}},
      {"UPDATE t SET n = s.n FROM s WHERE s.k = t.k", {"UPDATE ON t", "SELECT ON t", "SELECT ON s"}},
      {"UPDATE t SET n = 1 RETURNING n", {"UPDATE ON t", "SELECT ON t"}},
      {"DELETE FROM t", {"DELETE ON t"}},
      {"DELETE FROM t WHERE k = 'a'", {"DELETE ON t", "SELECT ON t"}},
      {"DELETE FROM t USING s WHERE s.k = t.k", {"DELETE ON t", "SELECT ON t", "SELECT ON s"}},
      {"MERGE INTO t USING s ON s.k = t.k WHEN MATCHED THEN UPDATE SET n = s.n",
       {"UPDATE ON t", "SELECT ON t", "SELECT ON s"}},
      {"MERGE INTO t USING s ON s.k = t.k WHEN MATCHED THEN DELETE",
       {"DELETE ON t", "SELECT ON t", "SELECT ON s"}},
      {"MERGE INTO t USING s ON s.k = t.k WHEN NOT MATCHED THEN INSERT *",
       {"INSERT ON t", "SELECT ON t", "SELECT ON s"}},
      {"MERGE INTO t USING s ON s.k = t.k WHEN MATCHED THEN UPDATE SET n = 1 WHEN NOT MATCHED THEN INSERT * "
       "WHEN NOT MATCHED BY SOURCE THEN DELETE",
       {"INSERT ON t", "UPDATE ON t", "DELETE ON t", "SELECT ON t", "SELECT ON s"}},
      {"INSERT OVERWRITE t SELECT * FROM s", {"INSERT ON t", "DELETE ON t", "SELECT ON s"}},
      {"INSERT OVERWRITE t PARTITION ('2024-01-01') SELECT * FROM s",
       {"INSERT ON t", "DELETE ON t", "SELECT ON s"}},
      {"INSERT OVERWRITE t PARTITION DYNAMIC SELECT * FROM s", {"INSERT ON t", "DELETE ON t", "SELECT ON s"}},
      {"INSERT INTO t REPLACE WHERE ts IN '2024-01-01' SELECT * FROM s",
       {"INSERT ON t", "DELETE ON t", "SELECT ON t", "SELECT ON s"}},
      {"TRUNCATE t", {"TRUNCATE ON t"}},
      {"TRUNCATE t, s", {"TRUNCATE ON t", "TRUNCATE ON s"}},
      // Making, changing and removing.
      {"CREATE TABLE x (n INTEGER)", {"CREATE ON SCHEMA public"}},
      {"CREATE TABLE x AS SELECT * FROM s", {"CREATE ON SCHEMA public", "SELECT ON s"}},
      {"CREATE VIEW x AS SELECT * FROM s", {"CREATE ON SCHEMA public", "SELECT ON s"}},
      {"CREATE OR REPLACE VIEW v AS SELECT n FROM s", {"REPLACE ON v", "SELECT ON s"}},
      {"DROP VIEW v", {kOwner}},
      {"ALTER VIEW v RENAME TO x", {kOwner, "CREATE ON SCHEMA public"}},
      {"DROP TABLE t", {kOwner}},
      {"ALTER TABLE t ADD COLUMN x INTEGER", {kOwner}},
      {"ALTER TABLE t DROP COLUMN n", {kOwner}},
      {"ALTER TABLE t RENAME COLUMN n TO x", {kOwner}},
      {"ALTER TABLE t ALTER COLUMN n TYPE BIGINT", {kOwner}},
      {"ALTER TABLE t RENAME TO x", {kOwner, "CREATE ON SCHEMA public"}},
      {"ALTER TABLE t SET TTL 1 DAYS", {kOwner}},
      {"ALTER TABLE t DEDUP DISABLE", {kOwner}},
      {"ALTER TABLE t DROP PARTITION LIST '2024-01-01'", {kOwner}},
      {"ALTER TABLE t FREEZE PARTITION '2024-01-01'", {kOwner}},
      {"ALTER TABLE t SET (immutable = true)", {kOwner}},
      {"ALTER TABLE t CREATE TAG 'x'", {kOwner}},
      {"CREATE CHANGE SLOT x ON t", {"SELECT ON t"}},
      {"RESTORE TABLE t TO VERSION AS OF 0", {kOwner}},
      {"ALTER TABLE t OWNER TO owners", {kOwner}},
      // Upkeep.
      {"VACUUM t", {"MAINTAIN ON t"}, false},
      {"ANALYZE t", {"MAINTAIN ON t"}, false},
      {"VACUUM t RETAIN 500 HOURS", {kOwner}, false},
      {"VACUUM", {kSuperuser}, false},
      {"CHECKPOINT", {kSuperuser}, false},
      {"CREATE ROLE x", {kSuperuser}},
      {"ALTER ROLE worker SUPERUSER", {kSuperuser}},
      {"CREATE SCHEMA x", {kSuperuser}},
      {"SELECT * FROM backup('x')", {kSuperuser}, false},
  };
  return all;
}

class PrivilegeMatrix : public testing::Test {
 protected:
  void SetUp() override {
    admin_ = server_.connect();
    run("CREATE ROLE owners");
    run("CREATE USER worker");
    run("GRANT CREATE ON SCHEMA public TO owners");
    for (const char* const name : {"t", "s"}) {
      run("CREATE TABLE " + std::string(name) +
          " (ts TIMESTAMP, k SYMBOL, n INTEGER) TIMESTAMP(ts) PARTITION BY DAY DEDUP UPSERT KEYS(ts, k)");
      run("INSERT INTO " + std::string(name) + " VALUES ('2024-01-01', 'a', 1)");
      run("ALTER TABLE " + std::string(name) + " OWNER TO owners");
    }
    run("CREATE VIEW v AS SELECT n FROM s");
    run("ALTER VIEW v OWNER TO owners");
    worker_ = server_.connect("user=worker");
  }

  void run(const std::string& sql) { execute(*admin_, sql); }

  void hold(const Privileges& privileges) {
    run("REVOKE owners FROM worker");
    run("REVOKE ALL ON t, s, v FROM worker");
    run("REVOKE ALL ON SCHEMA public FROM worker");
    for (const std::string& privilege : privileges)
      run(privilege == kOwner ? "GRANT owners TO worker" : "GRANT " + privilege + " TO worker");
  }

  // "" when it is executed, "denied", or the text of another error. (libpqxx 6 loses the state of 42501.)
  std::string answer_to(pqxx::connection& connection, const Case& one) {
    if (one.in_block) execute(connection, "BEGIN");
    const std::string text = error_text(connection, one.statement);
    if (one.in_block) execute(connection, "ROLLBACK");
    else error_text(connection, "DEALLOCATE p");
    const bool denied = text.find("ermission denied ") != std::string::npos ||
                        text.find("must be owner of ") != std::string::npos ||
                        text.find("only a superuser ") != std::string::npos;
    return denied ? "denied" : text;
  }

  TestServer server_;
  std::unique_ptr<pqxx::connection> admin_, worker_;
};

TEST_F(PrivilegeMatrix, EachStatementNeedsEachOfItsPrivilegesAndNoOther) {
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.statement);
    if (one.needed.contains(kSuperuser)) {
      EXPECT_EQ(answer_to(*admin_, one), "");
    } else {
      hold(one.needed);
      EXPECT_EQ(answer_to(*worker_, one), "") << "with what it needs";
    }
    for (const std::string& missing : one.needed) {
      // An owner has every privilege of his own: those of others are all that can be missing beside it.
      Privileges others = grantable();
      others.erase(missing);
      if (missing == kSuperuser) others.insert(kOwner);
      if (one.needed.contains(kOwner) && missing != kOwner) continue;
      hold(others);
      EXPECT_EQ(answer_to(*worker_, one), "denied") << "without " << missing;
    }
  }
}

}  // namespace
}  // namespace idem::test
