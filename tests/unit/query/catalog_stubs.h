#pragma once

#include <map>
#include <string>
#include <vector>

// The columns of relations that clients read, as PostgreSQL 15 has them: name and type in turn.
namespace idem::test {

inline const std::map<std::string, std::string>& catalog_stubs() {
  static const std::map<std::string, std::string> stubs = {
      {"pg_am", "oid oid amname name amhandler regproc amtype char"},
      {"pg_attrdef", "oid oid adrelid oid adnum int2 adbin pg_node_tree"},
      {"pg_attribute",
       "attrelid oid attname name atttypid oid attstattarget int4 attlen int2 attnum int2 "
       "attndims int4 attcacheoff int4 atttypmod int4 attbyval bool attalign char attstorage "
       "char attcompression char attnotnull bool atthasdef bool atthasmissing bool attidentity "
       "char attgenerated char attisdropped bool attislocal bool attinhcount int4 attcollation "
       "oid attacl _aclitem attoptions _text attfdwoptions _text attmissingval anyarray"},
      {"pg_auth_members", "roleid oid member oid grantor oid admin_option bool"},
      {"pg_class",
       "oid oid relname name relnamespace oid reltype oid reloftype oid relowner oid relam oid "
       "relfilenode oid reltablespace oid relpages int4 reltuples float4 relallvisible int4 "
       "reltoastrelid oid relhasindex bool relisshared bool relpersistence char relkind char "
       "relnatts int2 relchecks int2 relhasrules bool relhastriggers bool relhassubclass bool "
       "relrowsecurity bool relforcerowsecurity bool relispopulated bool relreplident char "
       "relispartition bool relrewrite oid relfrozenxid xid relminmxid xid relacl _aclitem "
       "reloptions _text relpartbound pg_node_tree"},
      {"pg_collation",
       "oid oid collname name collnamespace oid collowner oid collprovider char "
       "collisdeterministic bool collencoding int4 collcollate text collctype text colliculocale "
       "text collversion text"},
      {"pg_constraint",
       "oid oid conname name connamespace oid contype char condeferrable bool condeferred bool "
       "convalidated bool conrelid oid contypid oid conindid oid conparentid oid confrelid oid "
       "confupdtype char confdeltype char confmatchtype char conislocal bool coninhcount int4 "
       "connoinherit bool conkey _int2 confkey _int2 conpfeqop _oid conppeqop _oid conffeqop "
       "_oid confdelsetcols _int2 conexclop _oid conbin pg_node_tree"},
      {"pg_database",
       "oid oid datname name datdba oid encoding int4 datlocprovider char datistemplate bool "
       "datallowconn bool datconnlimit int4 datfrozenxid xid datminmxid xid dattablespace oid "
       "datcollate text datctype text daticulocale text datcollversion text datacl _aclitem"},
      {"pg_description", "objoid oid classoid oid objsubid int4 description text"},
      {"pg_enum", "oid oid enumtypid oid enumsortorder float4 enumlabel name"},
      {"pg_extension",
       "oid oid extname name extowner oid extnamespace oid extrelocatable bool extversion text "
       "extconfig _oid extcondition _text"},
      {"pg_index",
       "indexrelid oid indrelid oid indnatts int2 indnkeyatts int2 indisunique bool "
       "indnullsnotdistinct bool indisprimary bool indisexclusion bool indimmediate bool "
       "indisclustered bool indisvalid bool indcheckxmin bool indisready bool indislive bool "
       "indisreplident bool indkey int2vector indcollation oidvector indclass oidvector "
       "indoption int2vector indexprs pg_node_tree indpred pg_node_tree"},
      {"pg_inherits", "inhrelid oid inhparent oid inhseqno int4 inhdetachpending bool"},
      {"pg_matviews",
       "schemaname name matviewname name matviewowner name tablespace name hasindexes bool "
       "ispopulated bool definition text"},
      {"pg_namespace", "oid oid nspname name nspowner oid nspacl _aclitem"},
      {"pg_policy",
       "oid oid polname name polrelid oid polcmd char polpermissive bool polroles _oid polqual "
       "pg_node_tree polwithcheck pg_node_tree"},
      {"pg_proc",
       "oid oid proname name pronamespace oid proowner oid prolang oid procost float4 prorows "
       "float4 provariadic oid prosupport regproc prokind char prosecdef bool proleakproof bool "
       "proisstrict bool proretset bool provolatile char proparallel char pronargs int2 "
       "pronargdefaults int2 prorettype oid proargtypes oidvector proallargtypes _oid "
       "proargmodes _char proargnames _text proargdefaults pg_node_tree protrftypes _oid prosrc "
       "text probin text prosqlbody pg_node_tree proconfig _text proacl _aclitem"},
      {"pg_publication",
       "oid oid pubname name pubowner oid puballtables bool pubinsert bool pubupdate bool "
       "pubdelete bool pubtruncate bool pubviaroot bool"},
      {"pg_publication_namespace", "oid oid pnpubid oid pnnspid oid"},
      {"pg_publication_rel", "oid oid prpubid oid prrelid oid prqual pg_node_tree prattrs int2vector"},
      {"pg_publication_tables", "pubname name schemaname name tablename name attnames _name rowfilter text"},
      {"pg_range",
       "rngtypid oid rngsubtype oid rngmultitypid oid rngcollation oid rngsubopc oid "
       "rngcanonical regproc rngsubdiff regproc"},
      {"pg_replication_slots",
       "slot_name name plugin name slot_type text datoid oid database name temporary bool active "
       "bool active_pid int4 xmin xid catalog_xmin xid restart_lsn pg_lsn confirmed_flush_lsn "
       "pg_lsn wal_status text safe_wal_size int8 two_phase bool"},
      {"pg_roles",
       "rolname name rolsuper bool rolinherit bool rolcreaterole bool rolcreatedb bool "
       "rolcanlogin bool rolreplication bool rolconnlimit int4 rolpassword text rolvaliduntil "
       "timestamptz rolbypassrls bool rolconfig _text oid oid"},
      {"pg_sequence",
       "seqrelid oid seqtypid oid seqstart int8 seqincrement int8 seqmax int8 seqmin int8 "
       "seqcache int8 seqcycle bool"},
      {"pg_settings",
       "name text setting text unit text category text short_desc text extra_desc text context "
       "text vartype text source text min_val text max_val text enumvals _text boot_val text "
       "reset_val text sourcefile text sourceline int4 pending_restart bool"},
      {"pg_stat_user_tables",
       "relid oid schemaname name relname name seq_scan int8 seq_tup_read int8 idx_scan int8 "
       "idx_tup_fetch int8 n_tup_ins int8 n_tup_upd int8 n_tup_del int8 n_tup_hot_upd int8 "
       "n_live_tup int8 n_dead_tup int8 n_mod_since_analyze int8 n_ins_since_vacuum int8 "
       "last_vacuum timestamptz last_autovacuum timestamptz last_analyze timestamptz "
       "last_autoanalyze timestamptz vacuum_count int8 autovacuum_count int8 analyze_count int8 "
       "autoanalyze_count int8"},
      {"pg_statistic_ext",
       "oid oid stxrelid oid stxname name stxnamespace oid stxowner oid stxstattarget int4 "
       "stxkeys int2vector stxkind _char stxexprs pg_node_tree"},
      {"pg_tables",
       "schemaname name tablename name tableowner name tablespace name hasindexes bool hasrules "
       "bool hastriggers bool rowsecurity bool"},
      {"pg_trigger",
       "oid oid tgrelid oid tgparentid oid tgname name tgfoid oid tgtype int2 tgenabled char "
       "tgisinternal bool tgconstrrelid oid tgconstrindid oid tgconstraint oid tgdeferrable bool "
       "tginitdeferred bool tgnargs int2 tgattr int2vector tgargs bytea tgqual pg_node_tree "
       "tgoldtable name tgnewtable name"},
      {"pg_type",
       "oid oid typname name typnamespace oid typowner oid typlen int2 typbyval bool typtype "
       "char typcategory char typispreferred bool typisdefined bool typdelim char typrelid oid "
       "typsubscript regproc typelem oid typarray oid typinput regproc typoutput regproc "
       "typreceive regproc typsend regproc typmodin regproc typmodout regproc typanalyze regproc "
       "typalign char typstorage char typnotnull bool typbasetype oid typtypmod int4 typndims "
       "int4 typcollation oid typdefaultbin pg_node_tree typdefault text typacl _aclitem"},
      {"pg_views", "schemaname name viewname name viewowner name definition text"},
      {"information_schema.tables",
       "table_catalog name table_schema name table_name name table_type text is_insertable_into "
       "text"},
      {"information_schema.columns",
       "table_catalog name table_schema name table_name name column_name name ordinal_position "
       "int4 column_default text is_nullable text data_type text character_maximum_length int4 "
       "numeric_precision int4 numeric_scale int4 udt_name name"},
      {"tables()",
       "id int4 table_name text designatedTimestamp text partitionBy text walEnabled bool dedup "
       "bool ttl text rows int8 disk_bytes int8 directory text version int8 immutable bool owner "
       "text"},
      {"table_columns()",
       "column text type text nullable bool default text designated bool upsertKey bool keep "
       "text symbolCapacity int4"},
      {"pg_get_publication_tables()", "relid oid attrs int2vector qual text"},
      {"pg_get_keywords()", "word text catcode char barelabel bool catdesc text baredesc text"},
  };
  return stubs;
}

}  // namespace idem::test
