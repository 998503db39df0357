#include "query/isolation_level.h"

#include <utility>

#include "common/error.h"

namespace idem {

namespace {

using ast::IsolationLevel;

constexpr std::pair<IsolationLevel, std::string_view> kLevels[] = {
    {IsolationLevel::kReadUncommitted, "read uncommitted"},
    {IsolationLevel::kReadCommitted, "read committed"},
    {IsolationLevel::kRepeatableRead, "repeatable read"},
    {IsolationLevel::kSerializable, "serializable"},
};

}  // namespace

std::string_view isolation_level_name(IsolationLevel level) {
  for (const auto& [known, name] : kLevels) {
    if (known == level) return name;
  }
  return {};
}

IsolationLevel isolation_level_named(std::string_view name, std::string_view setting) {
  for (const auto& [level, known] : kLevels) {
    if (known == name) return level;
  }
  throw sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", setting,
                  name)
      .with_hint("Available values: read uncommitted, read committed, repeatable read.");
}

void check_isolation_level(IsolationLevel level) {
  if (level != IsolationLevel::kSerializable) return;
  throw SqlError(sqlstate::kFeatureNotSupported, "isolation level SERIALIZABLE is not supported")
      .with_hint("REPEATABLE READ gives each transaction one snapshot.");
}

}  // namespace idem
