#include "query/session_settings.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "common/ascii.h"
#include "common/byte_size.h"
#include "common/error.h"
#include "common/time_zone.h"
#include "common/value_text.h"
#include "query/isolation_level.h"
#include "storage/catalog.h"

namespace idem {

namespace {

enum class SettingKind : uint8_t {
  kText,
  kBool,
  kInt,
  kMillis,
  kMillisOrNever,
  kBytes,
  kChoice,
  kIsolation,
  kEncoding,
  kDateStyle,
  kTimeZone
};

struct SettingInfo {
  std::string_view name, default_value;
  SettingKind kind = SettingKind::kText;
  bool read_only = false;
  bool reported = false;     // by ParameterStatus
  std::string_view choices;  // kChoice: separated by |
  std::string_view description;
  bool is_limit = false;
};

// Sorted by lower-case name.
constexpr SettingInfo kSettings[] = {
    {"application_name", "", SettingKind::kText, false, true, "", "Name that the client gives itself."},
    {"backslash_quote", "safe_encoding", SettingKind::kText},
    {"block_size", "8192", SettingKind::kInt, true},
    {"bytea_output", "hex", SettingKind::kChoice, false, false, "hex"},
    {"check_function_bodies", "on", SettingKind::kBool},
    {"client_encoding", "UTF8", SettingKind::kEncoding, false, true, "", "Encoding of the client's text."},
    {"client_min_messages", "notice", SettingKind::kChoice, false, false,
     "debug5|debug4|debug3|debug2|debug1|log|notice|warning|error"},
    {"data_directory_mode", "0700", SettingKind::kText, true},
    {"DateStyle", "ISO, MDY", SettingKind::kDateStyle, false, true, "", "Form in which dates are shown."},
    {"default_tablespace", "", SettingKind::kText},
    {"default_transaction_deferrable", "off", SettingKind::kBool},
    {"default_transaction_isolation", "read committed", SettingKind::kIsolation, false, false, "",
     "Isolation level of new transactions."},
    {"default_transaction_read_only", "off", SettingKind::kBool, false, true, "",
     "Whether new transactions are read-only."},
    {"extra_float_digits", "1", SettingKind::kInt},
    {"idle_in_transaction_session_timeout", "0", SettingKind::kMillis, false, false, "",
     "As idle_in_transaction_timeout.", true},
    {"idle_in_transaction_timeout", "0", SettingKind::kMillis, false, false, "",
     "Ends a session that is idle in a transaction for this long.", true},
    {"idle_session_timeout", "0", SettingKind::kMillis, false, false, "",
     "Ends a session that is idle outside of transactions for this long.", true},
    {"in_hot_standby", "off", SettingKind::kBool, true, true},
    {"integer_datetimes", "on", SettingKind::kBool, true, true},
    {"IntervalStyle", "postgres", SettingKind::kChoice, false, true, "postgres"},
    {"is_superuser", "off", SettingKind::kBool, true, true},
    {"lc_collate", "C", SettingKind::kText, true},
    {"lc_ctype", "C.UTF-8", SettingKind::kText, true},
    {"lc_messages", "C", SettingKind::kText},
    {"lc_monetary", "C", SettingKind::kText},
    {"lc_numeric", "C", SettingKind::kText},
    {"lc_time", "C", SettingKind::kText},
    {"lock_timeout", "0", SettingKind::kMillis},
    {"log_min_duration_statement", "-1", SettingKind::kMillisOrNever, false, false, "",
     "Requests that take this long are logged; -1: none."},
    {"max_identifier_length", "63", SettingKind::kInt, true},
    {"max_index_keys", "32", SettingKind::kInt, true},
    {"plan_cache_mode", "auto", SettingKind::kChoice, false, false,
     "auto|force_generic_plan|force_custom_plan"},
    {"query_memory_limit", "0", SettingKind::kBytes, false, false, "",
     "Memory of one query; 0 for the server's limit.", true},
    {"row_security", "on", SettingKind::kBool},
    {"search_path", "\"$user\", public", SettingKind::kText, false, false, "",
     "Schemas in which unqualified names are looked up."},
    {"server_encoding", "UTF8", SettingKind::kText, true, true},
    {"server_version", "15.0 (IdemDB 0.1.0)", SettingKind::kText, true, true},
    {"server_version_num", "150000", SettingKind::kInt, true},
    {"session_authorization", "", SettingKind::kText, true, true},
    {"snapshot_timeout", "0", SettingKind::kMillis, false, false, "",
     "Ends a transaction that holds its snapshot for this long.", true},
    {"standard_conforming_strings", "on", SettingKind::kChoice, false, true, "on"},
    {"statement_timeout", "0", SettingKind::kMillis, false, false, "",
     "Ends a statement that runs for this long.", true},
    {"synchronize_seqscans", "on", SettingKind::kBool},
    {"synchronous_commit", "on", SettingKind::kChoice, false, false, "on|off|local|remote_write|remote_apply",
     "Whether COMMIT waits until the log is on disk."},
    {"TimeZone", "UTC", SettingKind::kTimeZone, false, true, "", "Zone in which TIMESTAMPTZ is shown."},
    {"role", "none", SettingKind::kText, false, false, "", "The current role (SET ROLE)."},
    {"run", "", SettingKind::kText, true, false, "",
     "The key of the run that the next transaction is (SET run)."},
    {"transaction_isolation", "read committed", SettingKind::kIsolation},
    {"transaction_read_only", "off", SettingKind::kBool},
    {"wal_level", "replica", SettingKind::kText, true},
    {"xmloption", "content", SettingKind::kText},
};

const SettingInfo* find_info(std::string_view lower_name) {
  for (const SettingInfo& info : kSettings) {
    if (info.name.size() == lower_name.size() && to_lower(info.name) == lower_name) return &info;
  }
  return nullptr;
}

SqlError unknown_setting(std::string_view name) {
  return sql_error(sqlstate::kUndefinedObject, "unrecognized configuration parameter \"{}\"", name);
}

SqlError invalid_value(std::string_view name, std::string_view value) {
  return sql_error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", name,
                   value);
}

std::string checked_choice(const SettingInfo& info, std::string_view value) {
  std::string wanted = to_lower(value), hint;
  for (std::string_view rest = info.choices; !rest.empty();) {
    size_t bar = std::min(rest.find('|'), rest.size());
    std::string_view choice = rest.substr(0, bar);
    bool same_bool = false;
    if (bool a = false, b = false; parse_boolean(wanted, &a) && parse_boolean(choice, &b)) same_bool = a == b;
    if (wanted == choice || same_bool) return std::string(choice);
    hint += (hint.empty() ? "" : ", ") + std::string(choice);
    rest.remove_prefix(std::min(bar + 1, rest.size()));
  }
  throw invalid_value(info.name, value).with_hint("Available values: " + hint + ".");
}

// A number with an optional unit of time, in milliseconds.
int64_t parse_millis(const SettingInfo& info, std::string_view value) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  std::string_view unit(end, static_cast<size_t>(value.data() + value.size() - end));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"", 1}, {"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  for (auto [name, factor] : kUnits) {
    if (error == std::errc() && unit == name && number >= 0 && number <= INT32_MAX / factor)
      return number * factor;
  }
  throw invalid_value(info.name, value)
      .with_hint("Valid units for this parameter are \"ms\", \"s\", \"min\", \"h\", and \"d\".");
}

int64_t parse_bytes(const SettingInfo& info, std::string_view value) {
  const std::optional<uint64_t> bytes = parse_byte_size(value);
  if (bytes && *bytes <= INT64_MAX) return static_cast<int64_t>(*bytes);
  throw invalid_value(info.name, value)
      .with_hint("Valid units for this parameter are \"B\", \"kB\", \"MB\", and \"GB\".");
}

std::string show_millis(int64_t millis) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1000}};
  if (millis == 0) return "0";
  for (auto [name, factor] : kUnits) {
    if (millis % factor == 0) return fmt::format("{}{}", millis / factor, name);
  }
  return fmt::format("{}ms", millis);
}

std::string checked(std::string_view lower_name, std::string_view value) {
  const SettingInfo* info = find_info(lower_name);
  if (!info) {
    if (lower_name.find('.') != lower_name.npos) return std::string(value);
    throw unknown_setting(lower_name);
  }
  switch (info->kind) {
    case SettingKind::kText: return std::string(value);
    case SettingKind::kBool: {
      bool on = false;
      if (!parse_boolean(value, &on))
        throw sql_error(sqlstate::kInvalidParameterValue, "parameter \"{}\" requires a Boolean value",
                        info->name);
      return on ? "on" : "off";
    }
    case SettingKind::kInt: {
      int64_t number = 0;
      auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error != std::errc() || end != value.data() + value.size()) throw invalid_value(info->name, value);
      return std::to_string(number);
    }
    case SettingKind::kMillisOrNever:
      if (value == "-1") return std::string(value);
      [[fallthrough]];
    case SettingKind::kMillis: return show_millis(parse_millis(*info, value));
    case SettingKind::kBytes: return byte_size_text(static_cast<uint64_t>(parse_bytes(*info, value)));
    case SettingKind::kChoice: return checked_choice(*info, value);
    case SettingKind::kIsolation: {
      std::string name = to_lower(value);
      check_isolation_level(isolation_level_named(name, info->name));
      return name;
    }
    case SettingKind::kEncoding: {
      std::string name = to_lower(value);
      std::erase_if(name, [](char c) { return c == '-' || c == '_' || c == '\'' || c == ' '; });
      if (name == "utf8" || name == "unicode") return "UTF8";
      throw invalid_value(info->name, value).with_hint("The server speaks UTF8 only.");
    }
    case SettingKind::kDateStyle: {
      std::string style = to_lower(value);
      if (style.find("iso") == style.npos && style != "default" && style != "mdy") {
        throw sql_error(sqlstate::kFeatureNotSupported, "DateStyle \"{}\" is not supported", value)
            .with_hint("Dates are shown in ISO style only.");
      }
      return "ISO, MDY";
    }
    case SettingKind::kTimeZone: {
      if (!find_time_zone(value)) throw invalid_value(info->name, value);
      return std::string(value);
    }
  }
  return std::string(value);
}

// Of a checked value: milliseconds, bytes, or the number itself.
int64_t number_of(const SettingInfo* info, std::string_view value) {
  if (value == "0") return 0;
  const bool is_time =
      info && (info->kind == SettingKind::kMillis || info->kind == SettingKind::kMillisOrNever);
  if (is_time && value != "-1") return parse_millis(*info, value);
  if (info && info->kind == SettingKind::kBytes) return parse_bytes(*info, value);
  int64_t number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

SqlError cannot_be_changed(std::string_view name) {
  return sql_error("55P02", "parameter \"{}\" cannot be changed", name);
}

}  // namespace

SessionSettings::SessionSettings(std::shared_ptr<const ConfiguredSettings> configured, const Role* role,
                                 const std::vector<std::pair<std::string, std::string>>& startup)
    : configured_(std::move(configured)) {
  for (const SettingInfo& info : kSettings) defaults_[to_lower(info.name)] = info.default_value;
  for (const auto& [name, value] : configured_->session) defaults_[to_lower(name)] = value;
  if (role) {
    for (const auto& [name, value] : role->settings) {
      defaults_[name] = value;
      if (!role->superuser && is_limit(name)) limits_[name] = number_of(find_info(name), value);
    }
  }
  for (const auto& [name, value] : startup) {
    std::string key = to_lower(name);
    const SettingInfo* info = find_info(key);
    if (info ? info->read_only : key.find('.') == key.npos) continue;
    std::string good = checked(key, value);
    check_limit(key, good);
    defaults_[key] = std::move(good);
  }
  values_ = defaults_;
}

std::string SessionSettings::checked_default(std::string_view name, std::string_view value) {
  const std::string key = to_lower(name);
  const SettingInfo* info = find_info(key);
  if (info && info->read_only) throw cannot_be_changed(info->name);
  return checked(key, value);
}

bool SessionSettings::is_limit(std::string_view name) {
  const SettingInfo* info = find_info(to_lower(name));
  return info && info->is_limit;
}

void SessionSettings::check_limit(const std::string& name, std::string_view value) const {
  const auto limit = limits_.find(name);
  if (limit == limits_.end() || limit->second == 0) return;
  const int64_t number = number_of(find_info(name), value);
  if (number == 0 || number > limit->second)
    throw sql_error(sqlstate::kInsufficientPrivilege,
                    "permission denied to set parameter \"{}\" beyond the limit of the role", name);
}

int64_t SessionSettings::limited_millis(std::string_view name, int64_t millis) const {
  const auto limit = limits_.find(name);
  if (limit == limits_.end() || limit->second == 0) return millis;
  return millis == 0 ? limit->second : std::min(millis, limit->second);
}

SessionSettings::Values::const_iterator SessionSettings::find(std::string_view name) const {
  auto it = values_.find(name);  // most names come in lower case
  return it != values_.end() ? it : values_.find(to_lower(name));
}

SessionSettings::Values& SessionSettings::changing() {
  if (in_transaction_ && !at_begin_) at_begin_ = values_;
  generation_++;
  return values_;
}

bool SessionSettings::has(std::string_view name) const {
  return find(name) != values_.end() || configured_->server.contains(to_lower(name));
}

std::string SessionSettings::get(std::string_view name) const {
  auto it = find(name);
  if (it != values_.end()) return it->second;
  const auto of_server = configured_->server.find(to_lower(name));
  if (of_server == configured_->server.end()) throw unknown_setting(name);
  if (of_server->second.is_private && !get_bool("is_superuser"))
    throw sql_error(sqlstate::kInsufficientPrivilege, "must be superuser to examine \"{}\"",
                    of_server->first);
  return of_server->second.value;
}

bool SessionSettings::get_bool(std::string_view name) const { return get(name) == "on"; }

int64_t SessionSettings::get_int(std::string_view name) const {
  const std::string value = get(name);
  return value == "0" ? 0 : number_of(find_info(to_lower(name)), value);
}

void SessionSettings::set(std::string_view name, std::string_view value, bool local) {
  std::string key = to_lower(name);
  if (configured_->server.contains(key)) throw cannot_be_changed(key);
  std::string good = checked_default(key, value);
  check_limit(key, good);
  if (local) {
    if (!in_transaction_) return;  // the caller warns: it has no effect
    before_local_.try_emplace(key, values_.contains(key) ? values_[key] : std::string());
  } else {
    before_local_.erase(key);
  }
  changing()[key] = std::move(good);
}

void SessionSettings::reset(std::string_view name) {
  std::string key = to_lower(name);
  auto it = defaults_.find(key);
  if (it != defaults_.end()) set(key, it->second, false);
  else if (key.find('.') != key.npos) changing().erase(key);
  else throw unknown_setting(name);
}

void SessionSettings::reset_all() {
  changing();
  for (const auto& [name, value] : defaults_) {
    if (name == "role") continue;  // as in PostgreSQL: RESET ROLE does it
    const SettingInfo* info = find_info(name);
    if (!info || !info->read_only) values_[name] = value;
  }
  std::erase_if(values_, [this](const auto& entry) { return !defaults_.contains(entry.first); });
}

void SessionSettings::set_internal(std::string_view name, std::string_view value) {
  std::string key = to_lower(name);
  auto it = values_.find(key), fallback = defaults_.find(key);
  if (it != values_.end() && it->second == value && fallback != defaults_.end() && fallback->second == value)
    return;
  defaults_[key] = value;
  changing()[key] = value;
}

void SessionSettings::begin_transaction() {
  at_begin_.reset();
  before_local_.clear();
  in_transaction_ = true;
}

void SessionSettings::commit_transaction() {
  in_transaction_ = false;
  at_begin_.reset();
  if (before_local_.empty()) return;
  for (const auto& [name, value] : before_local_) changing()[name] = value;
  before_local_.clear();
}

void SessionSettings::rollback_transaction() {
  in_transaction_ = false;
  before_local_.clear();
  if (!at_begin_) return;
  changing() = std::move(*at_begin_);
  at_begin_.reset();
}

SessionSettings::Mark SessionSettings::mark() const { return {values_, before_local_}; }

void SessionSettings::return_to(const Mark& mark) {
  if (values_ != mark.values) changing() = mark.values;
  before_local_ = mark.before_local;
}

std::vector<SettingRow> SessionSettings::all() const {
  std::vector<SettingRow> rows;
  for (const auto& [name, value] : values_) {
    const SettingInfo* info = find_info(name);
    rows.push_back({info ? std::string(info->name) : name, value, info ? std::string(info->description) : "",
                    info && info->read_only ? "internal" : "user"});
  }
  for (const auto& [name, setting] : configured_->server) {
    if (setting.is_private && !get_bool("is_superuser")) continue;
    rows.push_back(
        {name, setting.value, setting.description, setting.needs_restart ? "postmaster" : "sighup"});
  }
  std::sort(rows.begin(), rows.end(),
            [](const SettingRow& a, const SettingRow& b) { return to_lower(a.name) < to_lower(b.name); });
  return rows;
}

std::vector<std::pair<std::string, std::string>> SessionSettings::take_reported() {
  std::vector<std::pair<std::string, std::string>> changed;
  if (reported_generation_ == generation_) return changed;
  reported_generation_ = generation_;
  for (const SettingInfo& info : kSettings) {
    if (!info.reported) continue;
    const std::string& value = values_.find(to_lower(info.name))->second;
    auto [it, is_new] = reported_.try_emplace(std::string(info.name), value);
    if (!is_new && it->second == value) continue;
    it->second = value;
    changed.emplace_back(info.name, value);
  }
  return changed;
}

}  // namespace idem
