#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/configured_settings.h"
#include "query/evaluation.h"

namespace idem {

struct Role;

// The settings of one session: what SET, SHOW, RESET, set_config() and the start-up packet touch.
//
// Names are matched without regard to case; PostgreSQL's names where it has them. A name with a dot may be set freely. Values
// are checked and brought into the form that SHOW prints. SET is undone by ROLLBACK, SET LOCAL by the end of the transaction.
class SessionSettings {
  using Values = std::map<std::string, std::string, std::less<>>;  // lower-case name → value

 public:
  // `configured`: by the server; `role`: whose settings come before these, and whose limits hold from here on, null for none;
  // `startup`: from the client (names unknown to the server are ignored, as clients send what they like).
  SessionSettings(std::shared_ptr<const ConfiguredSettings> configured, const Role* role,
                  const std::vector<std::pair<std::string, std::string>>& startup);

  // The form in which a value of ALTER ROLE, ALTER SYSTEM or the configuration file is kept. As set() throws.
  static std::string checked_default(std::string_view name, std::string_view value);
  // Whether it bounds what a session may take: what a role has of it the role's sessions can lower, but not raise.
  static bool is_limit(std::string_view name);

  bool has(std::string_view name) const;
  std::string get(std::string_view name) const;  // 42704 if unknown, 42501
  bool get_bool(std::string_view name) const;
  int64_t get_int(std::string_view name) const;  // times in milliseconds, memory in bytes

  // Throws 42704, 22023, 55P02 (read-only), 42501 (beyond the role's limit).
  void set(std::string_view name, std::string_view value, bool local);
  // The milliseconds asked for, or fewer where the role says so; 0: no limit.
  int64_t limited_millis(std::string_view name, int64_t millis) const;
  void reset(std::string_view name);
  void reset_all();
  void set_internal(std::string_view name, std::string_view value);  // also read-only ones; no transaction

  void begin_transaction();
  void commit_transaction();
  void rollback_transaction();
  // For savepoints: the values now, and back to them.
  struct Mark {
    Values values, before_local;
  };
  Mark mark() const;
  void return_to(const Mark& mark);

  std::vector<SettingRow> all() const;  // sorted by name

  // Grows with every change of a value.
  uint64_t generation() const { return generation_; }

  // Values of the settings that ParameterStatus reports: all at first, then those that changed since the last call.
  std::vector<std::pair<std::string, std::string>> take_reported();

 private:
  void check_limit(const std::string& name, std::string_view value) const;
  Values::const_iterator find(std::string_view name) const;
  Values& changing();  // values_, to be changed

  std::shared_ptr<const ConfiguredSettings> configured_;
  std::map<std::string, int64_t, std::less<>> limits_;  // of the role
  Values defaults_, values_;
  std::optional<Values> at_begin_;  // values when the transaction began, if they have changed since
  Values before_local_;             // of settings changed by SET LOCAL
  bool in_transaction_ = false;
  Values reported_;
  uint64_t generation_ = 1, reported_generation_ = 0;
};

}  // namespace idem
