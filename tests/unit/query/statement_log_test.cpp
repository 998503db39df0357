#include "query/statement_log.h"

#include <gtest/gtest.h>

namespace idem {
namespace {

TEST(StatementLog, MasksPasswords) {
  EXPECT_EQ(without_passwords("SELECT password FROM t"), "SELECT password FROM t");
  EXPECT_EQ(without_passwords("SELECT 'password', 'x'"), "SELECT 'password', 'x'");
  EXPECT_EQ(
      without_passwords("ALTER USER a PASSWORD 'it''s' LOGIN; ALTER USER b password\n E'x\\'y' SUPERUSER"),
      "ALTER USER a PASSWORD '***' LOGIN; ALTER USER b password\n '***' SUPERUSER");
  EXPECT_EQ(without_passwords("CREATE ROLE r ENCRYPTED PASSWORD $a$se$cret$a$ LOGIN"),
            "CREATE ROLE r ENCRYPTED PASSWORD '***' LOGIN");
  EXPECT_EQ(without_passwords("CREATE ROLE r PASSWORD U&'se\\0063ret'"), "CREATE ROLE r PASSWORD '***'");
  EXPECT_EQ(without_passwords("CREATE ROLE r PASSWORD /* as */ -- agreed\n 'sec'\n'ret' LOGIN"),
            "CREATE ROLE r PASSWORD /* as */ -- agreed\n '***' LOGIN");
  EXPECT_EQ(without_passwords("CREATE ROLE r PASSWORD 'cut of"), "CREATE ROLE r PASSWORD '***'");
  EXPECT_EQ(without_passwords("SELECT 'a; ALTER ROLE r PASSWORD secret"), "SELECT '***'");
  EXPECT_EQ(without_passwords("ALTER ROLE r PASSWORD NULL"), "ALTER ROLE r PASSWORD NULL");
  EXPECT_EQ(without_passwords(""), "");
}

}  // namespace
}  // namespace idem
