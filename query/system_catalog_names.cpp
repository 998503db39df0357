#include "query/system_catalog_names.h"

#include <algorithm>
#include <array>

#include "common/error.h"

namespace idem {

namespace {

// As PostgreSQL 15 numbers them; those of views differ between its installations.
constexpr auto kRelations = std::to_array<CatalogRelation>({
    {"pg_aggregate", 2600},
    {"pg_am", 2601},
    {"pg_amop", 2602},
    {"pg_amproc", 2603},
    {"pg_attrdef", 2604},
    {"pg_attribute", 1249},
    {"pg_auth_members", 1261},
    {"pg_authid", 1260},
    {"pg_available_extension_versions", 12085},
    {"pg_available_extensions", 12081},
    {"pg_backend_memory_contexts", 12138},
    {"pg_cast", 2605},
    {"pg_class", 1259},
    {"pg_collation", 3456},
    {"pg_config", 12130},
    {"pg_constraint", 2606},
    {"pg_conversion", 2607},
    {"pg_cursors", 12077},
    {"pg_database", 1262},
    {"pg_db_role_setting", 2964},
    {"pg_default_acl", 826},
    {"pg_depend", 2608},
    {"pg_description", 2609},
    {"pg_enum", 3501},
    {"pg_event_trigger", 3466},
    {"pg_extension", 3079},
    {"pg_file_settings", 12110},
    {"pg_foreign_data_wrapper", 2328},
    {"pg_foreign_server", 1417},
    {"pg_foreign_table", 3118},
    {"pg_group", 12010},
    {"pg_hba_file_rules", 12114},
    {"pg_ident_file_mappings", 12118},
    {"pg_index", 2610},
    {"pg_indexes", 12043},
    {"pg_inherits", 2611},
    {"pg_init_privs", 3394},
    {"pg_language", 2612},
    {"pg_largeobject", 2613},
    {"pg_largeobject_metadata", 2995},
    {"pg_locks", 12073},
    {"pg_matviews", 12038},
    {"pg_namespace", 2615},
    {"pg_opclass", 2616},
    {"pg_operator", 2617},
    {"pg_opfamily", 2753},
    {"pg_parameter_acl", 6243},
    {"pg_partitioned_table", 3350},
    {"pg_policies", 12018},
    {"pg_policy", 3256},
    {"pg_prepared_statements", 12095},
    {"pg_prepared_xacts", 12090},
    {"pg_proc", 1255},
    {"pg_publication", 6104},
    {"pg_publication_namespace", 6237},
    {"pg_publication_rel", 6106},
    {"pg_publication_tables", 12068},
    {"pg_range", 3541},
    {"pg_replication_origin", 6000},
    {"pg_replication_origin_status", 12332},
    {"pg_replication_slots", 12257},
    {"pg_rewrite", 2618},
    {"pg_roles", 12000},
    {"pg_rules", 12023},
    {"pg_seclabel", 3596},
    {"pg_seclabels", 12099},
    {"pg_sequence", 2224},
    {"pg_sequences", 12048},
    {"pg_settings", 12104},
    {"pg_shadow", 12005},
    {"pg_shdepend", 1214},
    {"pg_shdescription", 2396},
    {"pg_shmem_allocations", 12134},
    {"pg_shseclabel", 3592},
    {"pg_stat_activity", 12222},
    {"pg_stat_all_indexes", 12183},
    {"pg_stat_all_tables", 12142},
    {"pg_stat_archiver", 12285},
    {"pg_stat_bgwriter", 12289},
    {"pg_stat_database", 12266},
    {"pg_stat_database_conflicts", 12271},
    {"pg_stat_gssapi", 12253},
    {"pg_stat_progress_analyze", 12297},
    {"pg_stat_progress_basebackup", 12317},
    {"pg_stat_progress_cluster", 12307},
    {"pg_stat_progress_copy", 12322},
    {"pg_stat_progress_create_index", 12312},
    {"pg_stat_progress_vacuum", 12302},
    {"pg_stat_recovery_prefetch", 12240},
    {"pg_stat_replication", 12227},
    {"pg_stat_replication_slots", 12262},
    {"pg_stat_slru", 12232},
    {"pg_stat_ssl", 12249},
    {"pg_stat_subscription", 12244},
    {"pg_stat_subscription_stats", 12336},
    {"pg_stat_sys_indexes", 12188},
    {"pg_stat_sys_tables", 12152},
    {"pg_stat_user_functions", 12275},
    {"pg_stat_user_indexes", 12192},
    {"pg_stat_user_tables", 12161},
    {"pg_stat_wal", 12293},
    {"pg_stat_wal_receiver", 12236},
    {"pg_stat_xact_all_tables", 12147},
    {"pg_stat_xact_sys_tables", 12157},
    {"pg_stat_xact_user_functions", 12280},
    {"pg_stat_xact_user_tables", 12166},
    {"pg_statio_all_indexes", 12196},
    {"pg_statio_all_sequences", 12209},
    {"pg_statio_all_tables", 12170},
    {"pg_statio_sys_indexes", 12201},
    {"pg_statio_sys_sequences", 12214},
    {"pg_statio_sys_tables", 12175},
    {"pg_statio_user_indexes", 12205},
    {"pg_statio_user_sequences", 12218},
    {"pg_statio_user_tables", 12179},
    {"pg_statistic", 2619},
    {"pg_statistic_ext", 3381},
    {"pg_statistic_ext_data", 3429},
    {"pg_stats", 12053},
    {"pg_stats_ext", 12058},
    {"pg_stats_ext_exprs", 12063},
    {"pg_subscription", 6100},
    {"pg_subscription_rel", 6102},
    {"pg_tables", 12033},
    {"pg_tablespace", 1213},
    {"pg_timezone_abbrevs", 12122},
    {"pg_timezone_names", 12126},
    {"pg_transform", 3576},
    {"pg_trigger", 2620},
    {"pg_ts_config", 3602},
    {"pg_ts_config_map", 3603},
    {"pg_ts_dict", 3600},
    {"pg_ts_parser", 3601},
    {"pg_ts_template", 3764},
    {"pg_type", 1247},
    {"pg_user", 12014},
    {"pg_user_mapping", 1418},
    {"pg_user_mappings", 12327},
    {"pg_views", 12028},
});

// In order of oid.
constexpr auto kTypes = std::to_array<CatalogType>({
    {"bool", "boolean", 16, 1000, 1, true, 'B', true, 'c', 'p'},
    {"bytea", "bytea", 17, 1001, -1, false, 'U', false, 'i', 'x'},
    {"char", "\"char\"", 18, 1002, 1, true, 'Z', false, 'c', 'p'},
    {"name", "name", 19, 1003, 64, false, 'S', false, 'c', 'p'},
    {"int8", "bigint", 20, 1016, 8, true, 'N', false, 'd', 'p'},
    {"int2", "smallint", 21, 1005, 2, true, 'N', false, 's', 'p'},
    {"int2vector", "int2vector", 22, 1006, -1, false, 'A', false, 'i', 'p'},
    {"int4", "integer", 23, 1007, 4, true, 'N', false, 'i', 'p'},
    {"regproc", "regproc", 24, 1008, 4, true, 'N', false, 'i', 'p'},
    {"text", "text", 25, 1009, -1, false, 'S', true, 'i', 'x'},
    {"oid", "oid", 26, 1028, 4, true, 'N', true, 'i', 'p'},
    {"tid", "tid", 27, 1010, 6, false, 'U', false, 's', 'p'},
    {"xid", "xid", 28, 1011, 4, true, 'U', false, 'i', 'p'},
    {"cid", "cid", 29, 1012, 4, true, 'U', false, 'i', 'p'},
    {"oidvector", "oidvector", 30, 1013, -1, false, 'A', false, 'i', 'p'},
    {"json", "json", 114, 199, -1, false, 'U', false, 'i', 'x'},
    {"xml", "xml", 142, 143, -1, false, 'U', false, 'i', 'x'},
    {"pg_node_tree", "pg_node_tree", 194, 0, -1, false, 'Z', false, 'i', 'x'},
    {"cidr", "cidr", 650, 651, -1, false, 'I', false, 'i', 'm'},
    {"float4", "real", 700, 1021, 4, true, 'N', false, 'i', 'p'},
    {"float8", "double precision", 701, 1022, 8, true, 'N', true, 'd', 'p'},
    {"unknown", "unknown", 705, 0, -2, false, 'X', false, 'c', 'p'},
    {"money", "money", 790, 791, 8, true, 'N', false, 'd', 'p'},
    {"macaddr", "macaddr", 829, 1040, 6, false, 'U', false, 'i', 'p'},
    {"inet", "inet", 869, 1041, -1, false, 'I', true, 'i', 'm'},
    {"aclitem", "aclitem", 1033, 1034, 12, false, 'U', false, 'i', 'p'},
    {"bpchar", "character", 1042, 1014, -1, false, 'S', false, 'i', 'x'},
    {"varchar", "character varying", 1043, 1015, -1, false, 'S', false, 'i', 'x'},
    {"date", "date", 1082, 1182, 4, true, 'D', false, 'i', 'p'},
    {"time", "time without time zone", 1083, 1183, 8, true, 'D', false, 'd', 'p'},
    {"timestamp", "timestamp without time zone", 1114, 1115, 8, true, 'D', false, 'd', 'p'},
    {"timestamptz", "timestamp with time zone", 1184, 1185, 8, true, 'D', true, 'd', 'p'},
    {"interval", "interval", 1186, 1187, 16, false, 'T', true, 'd', 'p'},
    {"timetz", "time with time zone", 1266, 1270, 12, false, 'D', false, 'd', 'p'},
    {"bit", "bit", 1560, 1561, -1, false, 'V', false, 'i', 'x'},
    {"varbit", "bit varying", 1562, 1563, -1, false, 'V', true, 'i', 'x'},
    {"numeric", "numeric", 1700, 1231, -1, false, 'N', false, 'i', 'm'},
    {"refcursor", "refcursor", 1790, 2201, -1, false, 'U', false, 'i', 'x'},
    {"regprocedure", "regprocedure", 2202, 2207, 4, true, 'N', false, 'i', 'p'},
    {"regoper", "regoper", 2203, 2208, 4, true, 'N', false, 'i', 'p'},
    {"regoperator", "regoperator", 2204, 2209, 4, true, 'N', false, 'i', 'p'},
    {"regclass", "regclass", 2205, 2210, 4, true, 'N', false, 'i', 'p'},
    {"regtype", "regtype", 2206, 2211, 4, true, 'N', false, 'i', 'p'},
    {"record", "record", 2249, 2287, -1, false, 'P', false, 'd', 'x'},
    {"cstring", "cstring", 2275, 1263, -2, false, 'P', false, 'c', 'p'},
    {"any", "\"any\"", 2276, 0, 4, true, 'P', false, 'i', 'p'},
    {"anyarray", "anyarray", 2277, 0, -1, false, 'P', false, 'd', 'x'},
    {"void", "void", 2278, 0, 4, true, 'P', false, 'i', 'p'},
    {"trigger", "trigger", 2279, 0, 4, true, 'P', false, 'i', 'p'},
    {"language_handler", "language_handler", 2280, 0, 4, true, 'P', false, 'i', 'p'},
    {"internal", "internal", 2281, 0, 8, true, 'P', false, 'd', 'p'},
    {"anyelement", "anyelement", 2283, 0, 4, true, 'P', false, 'i', 'p'},
    {"anynonarray", "anynonarray", 2776, 0, 4, true, 'P', false, 'i', 'p'},
    {"uuid", "uuid", 2950, 2951, 16, false, 'U', false, 'c', 'p'},
    {"txid_snapshot", "txid_snapshot", 2970, 2949, -1, false, 'U', false, 'd', 'x'},
    {"pg_lsn", "pg_lsn", 3220, 3221, 8, true, 'U', false, 'd', 'p'},
    {"anyenum", "anyenum", 3500, 0, 4, true, 'P', false, 'i', 'p'},
    {"tsvector", "tsvector", 3614, 3643, -1, false, 'U', false, 'i', 'x'},
    {"tsquery", "tsquery", 3615, 3645, -1, false, 'U', false, 'i', 'p'},
    {"regconfig", "regconfig", 3734, 3735, 4, true, 'N', false, 'i', 'p'},
    {"regdictionary", "regdictionary", 3769, 3770, 4, true, 'N', false, 'i', 'p'},
    {"jsonb", "jsonb", 3802, 3807, -1, false, 'U', false, 'i', 'x'},
    {"anyrange", "anyrange", 3831, 0, -1, false, 'P', false, 'd', 'x'},
    {"event_trigger", "event_trigger", 3838, 0, 4, true, 'P', false, 'i', 'p'},
    {"jsonpath", "jsonpath", 4072, 4073, -1, false, 'U', false, 'i', 'x'},
    {"regnamespace", "regnamespace", 4089, 4090, 4, true, 'N', false, 'i', 'p'},
    {"regrole", "regrole", 4096, 4097, 4, true, 'N', false, 'i', 'p'},
    {"pg_snapshot", "pg_snapshot", 5038, 5039, -1, false, 'U', false, 'd', 'x'},
    {"xid8", "xid8", 5069, 271, 8, true, 'U', false, 'd', 'p'},
});

constexpr auto kFunctions = std::to_array<CatalogRelation>({
    {"any_in", 2294},
    {"any_out", 2295},
    {"anyarray_in", 2296},
    {"anyarray_out", 2297},
    {"anyarray_recv", 2502},
    {"anyarray_send", 2503},
    {"array_in", 750},
    {"array_out", 751},
    {"array_recv", 2400},
    {"array_send", 2401},
    {"boolin", 1242},
    {"boolout", 1243},
    {"boolrecv", 2436},
    {"boolsend", 2437},
    {"bpcharin", 1044},
    {"bpcharout", 1045},
    {"bpcharrecv", 2430},
    {"bpcharsend", 2431},
    {"byteain", 1244},
    {"byteaout", 31},
    {"bytearecv", 2412},
    {"byteasend", 2413},
    {"charin", 1245},
    {"charout", 33},
    {"charrecv", 2434},
    {"charsend", 2435},
    {"cstring_in", 2292},
    {"cstring_out", 2293},
    {"cstring_recv", 2500},
    {"cstring_send", 2501},
    {"date_in", 1084},
    {"date_out", 1085},
    {"date_recv", 2468},
    {"date_send", 2469},
    {"float4in", 200},
    {"float4out", 201},
    {"float4recv", 2424},
    {"float4send", 2425},
    {"float8in", 214},
    {"float8out", 215},
    {"float8recv", 2426},
    {"float8send", 2427},
    {"int2in", 38},
    {"int2out", 39},
    {"int2recv", 2404},
    {"int2send", 2405},
    {"int2vectorin", 40},
    {"int2vectorout", 41},
    {"int2vectorrecv", 2410},
    {"int2vectorsend", 2411},
    {"int4in", 42},
    {"int4out", 43},
    {"int4recv", 2406},
    {"int4send", 2407},
    {"int8in", 460},
    {"int8out", 461},
    {"int8recv", 2408},
    {"int8send", 2409},
    {"interval_in", 1160},
    {"interval_out", 1161},
    {"interval_recv", 2478},
    {"interval_send", 2479},
    {"json_in", 321},
    {"json_out", 322},
    {"json_recv", 323},
    {"json_send", 324},
    {"jsonb_in", 3806},
    {"jsonb_out", 3804},
    {"jsonb_recv", 3805},
    {"jsonb_send", 3803},
    {"namein", 34},
    {"nameout", 35},
    {"namerecv", 2422},
    {"namesend", 2423},
    {"numeric_in", 1701},
    {"numeric_out", 1702},
    {"numeric_recv", 2460},
    {"numeric_send", 2461},
    {"oidin", 1798},
    {"oidout", 1799},
    {"oidrecv", 2418},
    {"oidsend", 2419},
    {"oidvectorin", 54},
    {"oidvectorout", 55},
    {"oidvectorrecv", 2420},
    {"oidvectorsend", 2421},
    {"record_in", 2290},
    {"record_out", 2291},
    {"record_recv", 2402},
    {"record_send", 2403},
    {"regclassin", 2218},
    {"regclassout", 2219},
    {"regclassrecv", 2452},
    {"regclasssend", 2453},
    {"regnamespacein", 4084},
    {"regnamespaceout", 4085},
    {"regnamespacerecv", 4087},
    {"regnamespacesend", 4088},
    {"regprocin", 44},
    {"regprocout", 45},
    {"regprocrecv", 2444},
    {"regprocsend", 2445},
    {"regtypein", 2220},
    {"regtypeout", 2221},
    {"regtyperecv", 2454},
    {"regtypesend", 2455},
    {"textin", 46},
    {"textout", 47},
    {"textrecv", 2414},
    {"textsend", 2415},
    {"time_in", 1143},
    {"time_out", 1144},
    {"time_recv", 2470},
    {"time_send", 2471},
    {"timestamp_in", 1312},
    {"timestamp_out", 1313},
    {"timestamp_recv", 2474},
    {"timestamp_send", 2475},
    {"timestamptz_in", 1150},
    {"timestamptz_out", 1151},
    {"timestamptz_recv", 2476},
    {"timestamptz_send", 2477},
    {"trigger_in", 2300},
    {"trigger_out", 2301},
    {"unknownin", 109},
    {"unknownout", 110},
    {"unknownrecv", 2416},
    {"unknownsend", 2417},
    {"uuid_in", 2952},
    {"uuid_out", 2953},
    {"uuid_recv", 2961},
    {"uuid_send", 2962},
    {"varcharin", 1046},
    {"varcharout", 1047},
    {"varcharrecv", 2432},
    {"varcharsend", 2433},
    {"void_in", 2298},
    {"void_out", 2299},
    {"void_recv", 3120},
    {"void_send", 3121},
    {"xidin", 50},
    {"xidout", 51},
    {"xidrecv", 2440},
    {"xidsend", 2441},
});

template <class Table>
auto find_name(const Table& table, std::string_view name) {
  return std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.name == name; });
}
template <class Table>
auto find_oid(const Table& table, uint32_t oid) {
  return std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.oid == oid; });
}

}  // namespace

std::span<const CatalogRelation> catalog_relations() { return kRelations; }

std::optional<uint32_t> catalog_relation_oid(std::string_view name) {
  const auto found = find_name(kRelations, name);
  if (found == kRelations.end()) return std::nullopt;
  return found->oid;
}

std::optional<std::string_view> catalog_relation_name(uint32_t oid) {
  const auto found = find_oid(kRelations, oid);
  if (found == kRelations.end()) return std::nullopt;
  return found->name;
}

std::span<const CatalogRelation> catalog_type_functions() { return kFunctions; }

std::span<const CatalogType> catalog_types() { return kTypes; }

const CatalogType* catalog_type_of_oid(uint32_t oid) {
  const auto found = find_oid(kTypes, oid);
  return found == kTypes.end() ? nullptr : &*found;
}

const CatalogType* catalog_type_of_array_oid(uint32_t oid) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const CatalogType& t) { return t.array_oid == oid && oid != 0; });
  return found == kTypes.end() ? nullptr : &*found;
}

const CatalogType* catalog_type_of_name(std::string_view name) {
  auto found = find_name(kTypes, name);
  if (found == kTypes.end() || name == "char") {
    found =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const CatalogType& t) { return t.sql_name == name; });
  }
  return found == kTypes.end() ? nullptr : &*found;
}

std::string format_type_of_oid(uint32_t oid, std::optional<int32_t> modifier) {
  if (oid == 0) return "-";
  const CatalogType* type = catalog_type_of_oid(oid);
  const bool is_array = type == nullptr;
  if (is_array) type = catalog_type_of_array_oid(oid);
  if (type == nullptr) return "???";
  constexpr uint32_t kBpchar = 1042, kVarchar = 1043, kNumeric = 1700, kTime = 1083, kTimestamp = 1114,
                     kTimestampTz = 1184, kInterval = 1186;
  const int32_t m = modifier.value_or(-1);
  std::string text(type->sql_name);
  switch (type->oid) {
    case kBpchar:
      // Without a modifier, format_type(oid, NULL) says what a column is declared as, format_type(oid, -1) what it is.
      if (m >= 4) {
        text = fmt::format("character({})", m - 4);
      } else {
        text = modifier ? "bpchar" : "character";
      }
      break;
    case kVarchar:
      if (m >= 4) text += fmt::format("({})", m - 4);
      break;
    case kNumeric:
      if (m >= 4) text += fmt::format("({},{})", ((m - 4) >> 16) & 0xffff, (m - 4) & 0x7ff);
      break;
    case kTime:
    case kTimestamp:
    case kTimestampTz:
      if (m >= 0) text.insert(text.find(' '), fmt::format("({})", m));
      break;
    case kInterval:
      if (m >= 0 && (m & 0xffff) != 0xffff) text += fmt::format("({})", m & 0xffff);
      break;
    default: break;
  }
  return is_array ? text + "[]" : text;
}

}  // namespace idem
