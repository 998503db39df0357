#include "query/kept_plan.h"

#include "tests/unit/query/binder_fixture.h"

namespace idem::test {
namespace {

class KeptPlanTest : public BinderTest {
 protected:
  KeptPlanTest() { show_tables(); }

  bool is_for_once(const std::string& sql) { return bind(sql).is_for_once; }

  void show_tables() {
    for (const auto& [name, version] : tables_) {
      const auto id = static_cast<uint32_t>(version->schema->id);
      while (snapshot_.tables.size() <= id) snapshot_.tables = snapshot_.tables.push_back(nullptr);
      snapshot_.tables = snapshot_.tables.set(id, version);
    }
  }
  // Another version of a table.
  std::shared_ptr<TableVersion> change(const std::string& table) {
    auto version = std::make_shared<TableVersion>(*tables_[table]);
    tables_[table] = version;
    show_tables();
    return version;
  }
};

TEST_F(KeptPlanTest, PlansThatUseRowsAreForOnce) {
  EXPECT_FALSE(is_for_once("SELECT price FROM trades WHERE ts = $1 AND sym = $2"));
  EXPECT_FALSE(
      is_for_once("SELECT sym, count(*) FROM trades WHERE ts > now() GROUP BY sym ORDER BY 2 LIMIT $1"));
  EXPECT_FALSE(is_for_once("SELECT ts, sum(qty) FROM trades SAMPLE BY 1h"));
  EXPECT_FALSE(is_for_once("SELECT * FROM trades LATEST ON ts PARTITION BY sym"));
  EXPECT_FALSE(is_for_once("SELECT * FROM trades ORDER BY ts DESC"));
  EXPECT_FALSE(is_for_once("SELECT sum(qty) FROM weeks WHERE sym = 'AAPL'"));
  EXPECT_FALSE(is_for_once("SELECT name FROM items WHERE id IN (SELECT qty FROM trades)"));
  // Facts taken from the table itself.
  EXPECT_TRUE(is_for_once("SELECT count(*) FROM trades"));
  EXPECT_TRUE(is_for_once("SELECT max(ts) FROM trades"));
  EXPECT_TRUE(is_for_once("SELECT name, (SELECT count(*) FROM trades) FROM items"));
  EXPECT_TRUE(is_for_once("WITH c AS (SELECT count(*) AS n FROM trades) SELECT * FROM c a, c b"));
  // Weeks that follow one another are not sorted; a join in time reads what the left side can meet.
  EXPECT_TRUE(is_for_once("SELECT * FROM weeks ORDER BY ts"));
  EXPECT_TRUE(is_for_once("SELECT ts, sum(qty) FROM weeks SAMPLE BY 1d"));
  EXPECT_TRUE(is_for_once("SELECT row_number() OVER (ORDER BY ts) FROM weeks"));
  EXPECT_TRUE(is_for_once("SELECT * FROM trades ASOF JOIN quotes ON (sym)"));
}

TEST_F(KeptPlanTest, HoldsNoRows) {
  const std::weak_ptr<const TableVersion> items = change("items"), trades = change("trades");
  const KeptPlan kept(
      bind("SELECT name, (SELECT max(qty) FROM trades WHERE sym = $1) FROM items ORDER BY id"),
      snapshot_.catalog, 1);
  change("items");
  change("trades");
  EXPECT_TRUE(items.expired());
  EXPECT_TRUE(trades.expired());
  EXPECT_TRUE(kept.fits(snapshot_, 1));
}

TEST_F(KeptPlanTest, FitsWhileNothingButRowsChanges) {
  const KeptPlan kept(bind("SELECT price FROM trades JOIN items ON qty = id"), snapshot_.catalog, 7);
  EXPECT_TRUE(kept.fits(snapshot_, 7));
  EXPECT_FALSE(kept.fits(snapshot_, 8));
  change("trades")->row_count += 100;
  change("quotes")->schema = std::make_shared<TableSchema>(*tables_["quotes"]->schema);  // not read
  EXPECT_TRUE(kept.fits(snapshot_, 7));
  Snapshot other = snapshot_;
  other.catalog = std::make_shared<Catalog>(*snapshot_.catalog);
  EXPECT_FALSE(kept.fits(other, 7));
  other = snapshot_;
  other.tables = other.tables.set(static_cast<uint32_t>(tables_["items"]->schema->id), nullptr);
  EXPECT_FALSE(kept.fits(other, 7));
  change("trades")->row_count *= 1000;  // joins may have another order now
  EXPECT_FALSE(kept.fits(snapshot_, 7));
  change("trades")->row_count /= 1000;
  EXPECT_TRUE(kept.fits(snapshot_, 7));
  auto changed = change("trades");
  changed->schema = std::make_shared<TableSchema>(*changed->schema);
  EXPECT_FALSE(kept.fits(snapshot_, 7));
}

}  // namespace
}  // namespace idem::test
