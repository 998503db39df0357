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
  EXPECT_EQ(without_passwords("CREATE ROLE r PASSWORD 'cut of"), "CREATE ROLE r '***'");
  EXPECT_EQ(without_passwords("SELECT 'a; ALTER ROLE r PASSWORD secret"), "SELECT '***'");
  EXPECT_EQ(without_passwords("ALTER ROLE r PASSWORD NULL"), "ALTER ROLE r PASSWORD NULL");
  EXPECT_EQ(without_passwords("SELECT 1 FROM u WHERE password = 'sec' AND a = 'b'"),
            "SELECT 1 FROM u WHERE password = '***' AND a = 'b'");
  EXPECT_EQ(without_passwords("/* ALTER ROLE r PASSWORD 'sec' */ SELECT 1 -- password sec"),
            "'***'SELECT 1'***'");
  EXPECT_EQ(without_passwords(""), "");
}

// Nothing that is wrong about a statement shows what its author took for the password.
TEST(StatementLog, MasksPasswordsInWhatIsNoStatement) {
  for (const char* text :
       {"CREATE ROLE r PASSWORD secret", "ALTER ROLE r WITH PASSWORD = 'secret",
        "ALTER ROLE r PASSWORD (secret)", "CREATE USER r PASSWORD \"secret\"",
        "CREATE USER r WITH LOGIN PASSWORD := 'secret' LOGIN", "ALTER r PASSWORD secret",
        "CREATE ROLE r PASWORD 'secret'", "alter user r identified by secret",
        "CREATE ROLE r; ALTER ROLE r secret", "SELECT 1; CREAT ROLE r PASSWORD secret; SELECT 2",
        "ALTER ROLE r PASSWORD secret;more'secret", "ALTER ROLE r PASSWORD 1secret",
        "ALTER ROLE r PASSWORD 'ok' LOGON secret", "ALTER ROLE r PASSWORD U&'secret\\'",
        "SELECT password FRM secret", "ALTER ROLE r PASSWORD $secret",
        "ALTER ROLE r SET x = y PASSWORD secret", "PASSWORD secret",
        "SELECT 1; CREAT ROLE r PASSWORD $secret"}) {
    const std::string shown = without_passwords(text);
    EXPECT_EQ(shown.find("secret"), std::string::npos) << text << " is shown as " << shown;
    EXPECT_NE(shown.find("'***'"), std::string::npos) << shown;
  }
  EXPECT_EQ(without_passwords("ALTER ROLE r PASSWORD secret LOGIN"), "ALTER ROLE r '***'");
  EXPECT_EQ(without_passwords("SELECT user FRM t"), "SELECT user FRM t");
}

}  // namespace
}  // namespace idem
