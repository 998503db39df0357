#include <algorithm>
#include <chrono>
#include <thread>

#include "common/array_value.h"
#include "common/clock.h"
#include "common/error.h"
#include "query/access_control.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/session.h"
#include "query/signature_types.h"

namespace idem {

namespace {

using View = std::string_view;
constexpr Volatility kStable = Volatility::kStable, kVolatile = Volatility::kVolatile;

const ExecutionContext* context_of(const KernelCall& call) { return call.state.context; }
SessionInfo* session_of(const KernelCall& call) {
  return context_of(call) != nullptr ? context_of(call)->session : nullptr;
}
const ServerContext* server_of(const KernelCall& call) {
  return context_of(call) != nullptr ? context_of(call)->server : nullptr;
}

int64_t clock_micros(const KernelCall& call) {
  const ServerContext* server = server_of(call);
  return server != nullptr && server->clock != nullptr ? server->clock->now_micros()
                                                       : SystemClock().now_micros();
}

std::string version_text(const KernelCall& call) {
  const std::string number =
      session_of(call) != nullptr ? session_of(call)->setting("server_version", true) : "15.0 (IdemDB)";
  return "PostgreSQL " + number + ", 64-bit";
}

bool append_schema(const KernelCall& call, std::string& out) {
  if (session_of(call) == nullptr) return false;
  const std::vector<std::string> path = session_of(call)->search_path(false);
  if (path.empty()) return false;
  out += path.front();
  return true;
}

void append_schemas(const KernelCall& call, std::string& out, bool with_implicit) {
  ArrayBuilder builder(TypeId::kName);
  if (session_of(call) != nullptr) {
    for (const std::string& schema : session_of(call)->search_path(with_implicit))
      builder.append_string(schema);
  }
  builder.append_to(out);
}

SessionInfo& required_session(const KernelCall& call) {
  SessionInfo* session = session_of(call);
  if (session == nullptr) throw SqlError(sqlstate::kObjectNotInPrerequisiteState, "there is no session here");
  return *session;
}

// Sleeps in short steps, so that a cancel request ends it.
void sleep_for(const KernelCall& call, double seconds) {
  using namespace std::chrono;
  const auto end =
      steady_clock::now() + duration_cast<nanoseconds>(duration<double>(std::clamp(seconds, 0.0, 1e8)));
  while (true) {
    if (context_of(call) != nullptr && context_of(call)->cancel != nullptr) context_of(call)->cancel->check();
    const auto left = end - steady_clock::now();
    if (left <= nanoseconds::zero()) return;
    std::this_thread::sleep_for(std::min<nanoseconds>(left, milliseconds(20)));
  }
}

bool cancel_backend(const KernelCall& call, int32_t pid) {
  const ServerContext* server = server_of(call);
  return server != nullptr && server->sessions != nullptr && server->sessions->cancel_by_pid(pid);
}

NotificationSender& sender_of(const KernelCall& call) {
  auto* sender = dynamic_cast<NotificationSender*>(&required_session(call));
  if (sender == nullptr)
    throw SqlError(sqlstate::kObjectNotInPrerequisiteState, "there is nobody to notify here");
  return *sender;
}

bool reload_configuration(const KernelCall& call) {
  const ServerContext* server = server_of(call);
  if (server == nullptr || server->system_configuration == nullptr) return false;
  const Snapshot& now = *context_of(call)->snapshot;
  AccessControl(*now.catalog, required_session(call).user()).require_superuser("pg_reload_conf()");
  return server->system_configuration->reload();
}

int64_t transaction_number(const KernelCall& call) {
  const ExecutionContext* context = context_of(call);
  return context != nullptr && context->snapshot != nullptr ? static_cast<int64_t>(context->snapshot->commit)
                                                            : 0;
}

void register_identity(FunctionRegistry& r) {
  r.add("version", {}, kText, row_kernel<[](KernelCall& c) { return version_text(c); }>, kStable);
  for (const View name : {"current_database", "current_catalog"}) {
    r.add(name, {}, kName, row_kernel<[](KernelCall& c) { return required_session(c).database(); }>, kStable);
  }
  for (const View name : {"current_user", "current_role", "user"}) {
    r.add(name, {}, kName, row_kernel<[](KernelCall& c) { return required_session(c).user(); }>, kStable);
  }
  r.add("session_user", {}, kName,
        row_kernel<[](KernelCall& c) { return required_session(c).session_user(); }>, kStable);
  r.add("current_schema", {}, kName,
        row_kernel<[](KernelCall& c, std::string& out) { return append_schema(c, out); }>, kStable);
  r.add("current_schemas", {kBool}, SqlType::array_of(TypeId::kName),
        row_kernel<[](KernelCall& c, std::string& out, bool all) { append_schemas(c, out, all); }>, kStable);
  r.add("pg_backend_pid", {}, kInt4,
        row_kernel<[](KernelCall& c) { return required_session(c).backend_pid(); }>, kStable);
  for (const View name : {"inet_server_addr", "inet_client_addr"}) {
    r.add(name, {}, kText, row_kernel<[](KernelCall&, std::string&) { return false; }>, kStable);
  }
  for (const View name : {"inet_server_port", "inet_client_port"}) {
    r.add(name, {}, kInt4, row_kernel<[](KernelCall&) { return std::optional<int32_t>(); }>, kStable);
  }
}

void register_settings(FunctionRegistry& r) {
  r.add("current_setting", {kText}, kText,
        row_kernel<[](KernelCall& c, View name) { return required_session(c).setting(name, false); }>,
        kStable);
  r.add("current_setting", {kText, kBool}, kText,
        row_kernel<[](KernelCall& c, std::string& out, View name, bool missing_ok) {
          try {
            out = required_session(c).setting(name, false);
            return true;
          } catch (const SqlError& error) {
            if (!missing_ok || error.sqlstate() != sqlstate::kUndefinedObject) throw;
            return false;
          }
        }>,
        kStable);
  r.add("set_config", {kText, kText, kBool}, kText,
        row_kernel<[](KernelCall& c, View name, View value, bool local) {
          required_session(c).set_setting(name, value, local);
          return required_session(c).setting(name, true);
        }>,
        kVolatile);
}

void register_times(FunctionRegistry& r) {
  r.add("clock_timestamp", {}, kStampTz, row_kernel<[](KernelCall& c) { return clock_micros(c); }>,
        kVolatile);
  for (const View name : {"systimestamp", "sysdate"}) {
    r.add(name, {}, kStamp, row_kernel<[](KernelCall& c) { return clock_micros(c); }>, kVolatile);
  }
  for (const View name : {"pg_postmaster_start_time", "pg_conf_load_time"}) {
    r.add(name, {}, kStampTz, row_kernel<[](KernelCall& c) {
            return server_of(c) != nullptr ? std::optional(server_of(c)->start_time_micros) : std::nullopt;
          }>,
          kStable);
  }
  r.add("pg_sleep", {TypeId::kDouble}, TypeId::kVoid,
        row_kernel<[](KernelCall& c, std::string&, double seconds) { sleep_for(c, seconds); }>, kVolatile);
}

}  // namespace

void register_session_functions(FunctionRegistry& r) {
  register_identity(r);
  register_settings(r);
  register_times(r);
  r.add("pg_is_in_recovery", {}, kBool, row_kernel<[](KernelCall&) { return false; }>, kStable);
  for (const View name :
       {"txid_current", "pg_current_xact_id", "txid_current_if_assigned", "pg_snapshot_xmin"}) {
    r.add(name, {}, kInt8, row_kernel<[](KernelCall& c) { return transaction_number(c); }>, kStable);
  }
  // There are no advisory locks to give back; pools call this whenever a connection returns.
  r.add("pg_advisory_unlock_all", {}, TypeId::kVoid, row_kernel<[](KernelCall&, std::string&) {}>, kVolatile);
  for (const View name : {"pg_cancel_backend", "pg_terminate_backend"}) {
    r.add(name, {kInt4}, kBool, row_kernel<[](KernelCall& c, int32_t pid) { return cancel_backend(c, pid); }>,
          kVolatile);
  }
  r.add("pg_notify", {kText, kText}, TypeId::kVoid,
        row_kernel<[](KernelCall& c, std::string&, View channel, View payload) {
          sender_of(c).notify(channel, payload);
        }>,
        kVolatile);
  r.add("pg_reload_conf", {}, kBool, row_kernel<[](KernelCall& c) { return reload_configuration(c); }>,
        kVolatile);
  for (const View name : {"getdatabaseencoding", "pg_client_encoding"}) {
    r.add(name, {}, kName, row_kernel<[](KernelCall&) { return std::string("UTF8"); }>, kStable);
  }
}

}  // namespace idem
