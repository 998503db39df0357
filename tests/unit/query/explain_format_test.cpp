#include "query/explain_format.h"

#include <gmock/gmock.h>

#include "common/json_text.h"

namespace idem::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string text_at(std::string_view json, const std::vector<std::string_view>& path) {
  const auto value = json_at_path(json, path);
  return value ? json_as_text(*value).value_or("null") : "nothing";
}

// A limit over a scan that was executed.
class ExplainFormat : public ::testing::Test {
 protected:
  ExplainFormat() {
    scan_.runs = 2;
    scan_.rows = 70;
    scan_.nanos = 1'500'000;
    scan_.vectors_read = 3;
    scan_.vectors_skipped = 4;
    scan_.memory_bytes = 1025;
    scan_.spilled_bytes = 4096;
    root_.type = root_.title = "Limit";
    root_.rows = 10;
    root_.cost = 7;
    root_.width = 8;
    root_.details = {{"Limit", {"10"}}};
    root_.done = &limit_;
    ExplainedNode& scan = root_.inputs.emplace_back();
    scan.type = "Seq Scan";
    scan.title = "Seq Scan on \"t\"";
    scan.attributes = {{"Relation Name", "t"}};
    scan.details = {{"Columns", {"a"}, true}, {"Window", {"x"}}, {"Window", {"y"}}};
    scan.done = &scan_;
    ExplainedNode& average = root_.inputs.emplace_back();
    average.relation = "InitPlan 1 (returns $1)";
    average.type = average.title = "Aggregate";
  }
  NodeProfile scan_, limit_;
  ExplainedNode root_;
};

TEST_F(ExplainFormat, TextHasALineForEachNodeAndDetail) {
  EXPECT_THAT(explain_lines(root_),
              ElementsAre("Limit  (cost=0.00..7.00 rows=10 width=8) (never executed)", "  Limit: 10",
                          "  ->  Seq Scan on \"t\"  (rows=0) (actual time=1.500 ms rows=70 loops=2)",
                          "        Columns: a", "        Window: x", "        Window: y",
                          "        Vectors: 3 read, 4 skipped", "        Memory: 2 kB",
                          "        Spilled: 4 kB", "  InitPlan 1 (returns $1)", "  ->  Aggregate  (rows=0)"));
}

TEST_F(ExplainFormat, JsonHasWhatTheTextSays) {
  const std::string json = explain_json(root_, ExplainTimes{2'000'000, 3'000'000});
  validate_json(json);
  EXPECT_EQ(text_at(json, {"0", "Plan", "Node Type"}), "Limit");
  EXPECT_EQ(text_at(json, {"0", "Plan", "Limit"}), "10");
  EXPECT_EQ(text_at(json, {"0", "Plan", "Total Cost"}), "7.00");
  EXPECT_EQ(text_at(json, {"0", "Plan", "Actual Loops"}), "0");
  const auto scan = json_at_path(json, {"0", "Plan", "Plans", "0"});
  ASSERT_TRUE(scan);
  EXPECT_EQ(text_at(*scan, {"Relation Name"}), "t");
  EXPECT_EQ(text_at(*scan, {"Actual Rows"}), "70");
  EXPECT_EQ(text_at(*scan, {"Actual Total Time"}), "1.500");
  EXPECT_EQ(text_at(*scan, {"Vectors Read"}), "3");
  EXPECT_EQ(text_at(*scan, {"Vectors Skipped"}), "4");
  EXPECT_EQ(text_at(*scan, {"Peak Memory Usage"}), "2");
  EXPECT_EQ(text_at(*scan, {"Disk Usage"}), "4");
  EXPECT_EQ(text_at(*scan, {"Columns", "0"}), "a");
  EXPECT_EQ(text_at(*scan, {"Window", "1"}), "y");
  EXPECT_EQ(text_at(json, {"0", "Plan", "Plans", "1", "Subplan Name"}), "InitPlan 1 (returns $1)");
  EXPECT_EQ(text_at(json, {"0", "Planning Time"}), "2.000");
  EXPECT_EQ(text_at(json, {"0", "Execution Time"}), "3.000");
}

TEST_F(ExplainFormat, APlanThatWasNotExecutedHasNoTimes) {
  root_.done = nullptr;
  const std::string json = explain_json(root_, std::nullopt);
  EXPECT_EQ(text_at(json, {"0", "Plan", "Actual Rows"}), "nothing");
  EXPECT_EQ(text_at(json, {"0", "Planning Time"}), "nothing");
}

}  // namespace
}  // namespace idem::test
