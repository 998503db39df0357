#include "query/virtual_rows.h"

namespace idem {

// Relations that clients join and that have no rows here: the server has no indexes, constraints, triggers, sequences …
// in PostgreSQL's sense. Their columns are PostgreSQL 15's, so that queries over them bind.
void register_empty_relations(RelationSet& catalog) {
  constexpr std::pair<std::string_view, std::string_view> kRelations[] = {
      {"pg_index",
       "indexrelid oid, indrelid oid, indnatts int2, indnkeyatts int2, indisunique bool, indnullsnotdistinct "
       "bool, indisprimary bool, "
       "indisexclusion bool, indimmediate bool, indisclustered bool, indisvalid bool, indcheckxmin bool, "
       "indisready bool, indislive bool, "
       "indisreplident bool, indkey int2vector, indcollation int2vector, indclass int2vector, indoption "
       "int2vector, indexprs text, indpred text"},
      {"pg_constraint",
       "oid oid, conname name, connamespace oid, contype char, condeferrable bool, condeferred bool, "
       "convalidated bool, conrelid oid, "
       "contypid oid, conindid oid, conparentid oid, confrelid oid, confupdtype char, confdeltype char, "
       "confmatchtype char, conislocal bool, "
       "coninhcount int4, connoinherit bool, conkey _int2, confkey _int2, conpfeqop _oid, conppeqop _oid, "
       "conffeqop _oid, confdelsetcols _int2, "
       "conexclop _oid, conbin text"},
      {"pg_description", "objoid oid, classoid oid, objsubid int4, description text"},
      {"pg_shdescription", "objoid oid, classoid oid, description text"},
      {"pg_inherits", "inhrelid oid, inhparent oid, inhseqno int4, inhdetachpending bool"},
      {"pg_trigger",
       "oid oid, tgrelid oid, tgparentid oid, tgname name, tgfoid oid, tgtype int2, tgenabled char, "
       "tgisinternal bool, tgconstrrelid oid, "
       "tgconstrindid oid, tgconstraint oid, tgdeferrable bool, tginitdeferred bool, tgnargs int2, tgattr "
       "int2vector, tgargs bytea, tgqual text, "
       "tgoldtable name, tgnewtable name"},
      {"pg_policy",
       "oid oid, polname name, polrelid oid, polcmd char, polpermissive bool, polroles _oid, polqual text, "
       "polwithcheck text"},
      {"pg_statistic_ext",
       "oid oid, stxrelid oid, stxname name, stxnamespace oid, stxowner oid, stxstattarget int4, stxkeys "
       "int2vector, stxkind _text, stxexprs text"},
      {"pg_publication",
       "oid oid, pubname name, pubowner oid, puballtables bool, pubinsert bool, pubupdate bool, pubdelete "
       "bool, pubtruncate bool, pubviaroot bool"},
      {"pg_publication_rel", "oid oid, prpubid oid, prrelid oid, prqual text, prattrs int2vector"},
      {"pg_publication_namespace", "oid oid, pnpubid oid, pnnspid oid"},
      {"pg_publication_tables",
       "pubname name, schemaname name, tablename name, attnames _name, rowfilter text"},
      {"pg_subscription", "oid oid, subdbid oid, subname name, subowner oid, subenabled bool"},
      {"pg_enum", "oid oid, enumtypid oid, enumsortorder float4, enumlabel name"},
      {"pg_range",
       "rngtypid oid, rngsubtype oid, rngmultitypid oid, rngcollation oid, rngsubopc oid, rngcanonical "
       "regproc, rngsubdiff regproc"},
      {"pg_sequence",
       "seqrelid oid, seqtypid oid, seqstart int8, seqincrement int8, seqmax int8, seqmin int8, seqcache "
       "int8, seqcycle bool"},
      {"pg_sequences",
       "schemaname name, sequencename name, sequenceowner name, data_type regtype, start_value int8, "
       "min_value int8, max_value int8, increment_by int8, cycle bool, cache_size int8, last_value int8"},
      {"pg_extension",
       "oid oid, extname name, extowner oid, extnamespace oid, extrelocatable bool, extversion text, "
       "extconfig _oid, extcondition _text"},
      {"pg_available_extensions", "name name, default_version text, installed_version text, comment text"},
      {"pg_proc",
       "oid oid, proname name, pronamespace oid, proowner oid, prolang oid, procost float4, prorows float4, "
       "provariadic oid, prosupport regproc, "
       "prokind char, prosecdef bool, proleakproof bool, proisstrict bool, proretset bool, provolatile char, "
       "proparallel char, pronargs int2, "
       "pronargdefaults int2, prorettype oid, proargtypes _oid, proallargtypes _oid, proargmodes _text, "
       "proargnames _text, proargdefaults text, "
       "protrftypes _oid, prosrc text, probin text, prosqlbody text, proconfig _text, proacl _text"},
      {"pg_language", "oid oid, lanname name, lanowner oid, lanispl bool, lanpltrusted bool"},
      {"pg_depend",
       "classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, refobjsubid int4, deptype char"},
      {"pg_rewrite",
       "oid oid, rulename name, ev_class oid, ev_type char, ev_enabled char, is_instead bool, ev_qual text, "
       "ev_action text"},
      {"pg_partitioned_table",
       "partrelid oid, partstrat char, partnatts int2, partdefid oid, partattrs int2vector, partclass "
       "int2vector, partcollation int2vector, "
       "partexprs text"},
      {"pg_indexes", "schemaname name, tablename name, indexname name, tablespace name, indexdef text"},
      {"pg_locks",
       "locktype text, database oid, relation oid, page int4, tuple int2, virtualxid text, transactionid "
       "int8, classid oid, objid oid, objsubid int2, "
       "virtualtransaction text, pid int4, mode text, granted bool, fastpath bool, waitstart timestamptz"},
      {"pg_replication_slots",
       "slot_name name, plugin name, slot_type text, datoid oid, database name, temporary bool, active bool, "
       "active_pid int4"},
      {"pg_foreign_server",
       "oid oid, srvname name, srvowner oid, srvfdw oid, srvtype text, srvversion text, srvacl _text, "
       "srvoptions _text"},
      {"pg_foreign_data_wrapper",
       "oid oid, fdwname name, fdwowner oid, fdwhandler oid, fdwvalidator oid, fdwacl _text, fdwoptions "
       "_text"},
      {"pg_foreign_table", "ftrelid oid, ftserver oid, ftoptions _text"},
      {"pg_event_trigger",
       "oid oid, evtname name, evtevent name, evtowner oid, evtfoid oid, evtenabled char, evttags _text"},
      {"pg_opclass",
       "oid oid, opcmethod oid, opcname name, opcnamespace oid, opcowner oid, opcfamily oid, opcintype oid, "
       "opcdefault bool, opckeytype oid"},
      {"pg_operator",
       "oid oid, oprname name, oprnamespace oid, oprowner oid, oprkind char, oprleft oid, oprright oid, "
       "oprresult oid, oprcode regproc"},
      {"pg_cast", "oid oid, castsource oid, casttarget oid, castfunc oid, castcontext char, castmethod char"},
      {"pg_aggregate", "aggfnoid regproc, aggkind char, aggnumdirectargs int2"},
      {"pg_rules", "schemaname name, tablename name, rulename name, definition text"},
      {"pg_prepared_statements",
       "name text, statement text, prepare_time timestamptz, parameter_types _text, from_sql bool"},
      {"pg_cursors",
       "name text, statement text, is_holdable bool, is_binary bool, is_scrollable bool, creation_time "
       "timestamptz"},
      {"pg_timezone_names", "name text, abbrev text, utc_offset interval, is_dst bool"},
  };
  for (auto [name, columns] : kRelations) catalog.add_empty(name, columns);
}

}  // namespace idem
