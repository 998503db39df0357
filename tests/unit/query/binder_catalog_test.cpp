#include "tests/unit/query/binder_fixture.h"

// What clients ask of the catalogs must bind.
namespace idem::test {
namespace {

class CatalogQueries : public BinderTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(CatalogQueries, Bind) { EXPECT_EQ(error(GetParam()), "no error") << GetParam(); }

INSTANTIATE_TEST_SUITE_P(
    Psql, CatalogQueries,
    ::testing::Values(
        R"(SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relname OPERATOR(pg_catalog.~) '^(t)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid)
           ORDER BY 2, 3)",
        R"(SELECT c.relchecks, c.relkind, c.relhasindex, c.relhasrules, c.relhastriggers, c.relrowsecurity, c.relforcerowsecurity,
           false AS relhasoids, c.relispartition, '', c.reltablespace, CASE WHEN c.reloftype = 0 THEN '' ELSE
           c.reloftype::pg_catalog.regtype::pg_catalog.text END, c.relpersistence, c.relreplident, am.amname FROM pg_catalog.pg_class c
           LEFT JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid) LEFT JOIN pg_catalog.pg_am am ON (c.relam = am.oid)
           WHERE c.oid = '16732')",
        R"(SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true)
           FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull,
           (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t WHERE c.oid = a.attcollation AND t.oid = a.atttypid
           AND a.attcollation <> t.typcollation) AS attcollation, a.attidentity, a.attgenerated FROM pg_catalog.pg_attribute a
           WHERE a.attrelid = '16732' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)",
        R"(SELECT pol.polname, pol.polpermissive, CASE WHEN pol.polroles = '{0}' THEN NULL ELSE
           pg_catalog.array_to_string(array(select rolname from pg_catalog.pg_roles where oid = any (pol.polroles) order by 1),',') END,
           pg_catalog.pg_get_expr(pol.polqual, pol.polrelid), pg_catalog.pg_get_expr(pol.polwithcheck, pol.polrelid),
           CASE pol.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' END AS cmd
           FROM pg_catalog.pg_policy pol WHERE pol.polrelid = '16732' ORDER BY 1)",
        R"(SELECT oid, stxrelid::pg_catalog.regclass, stxnamespace::pg_catalog.regnamespace::pg_catalog.text AS nsp, stxname,
           'd' = any(stxkind) AS ndist_enabled, 'f' = any(stxkind) AS deps_enabled, 'm' = any(stxkind) AS mcv_enabled, stxstattarget
           FROM pg_catalog.pg_statistic_ext WHERE stxrelid = '16732' ORDER BY nsp, stxname)",
        R"(SELECT pubname , NULL , NULL FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_namespace pn
           ON p.oid = pn.pnpubid JOIN pg_catalog.pg_class pc ON pc.relnamespace = pn.pnnspid WHERE pc.oid ='16732' and
           pg_catalog.pg_relation_is_publishable('16732')
           UNION SELECT pubname , pg_get_expr(pr.prqual, c.oid) , (CASE WHEN pr.prattrs IS NOT NULL THEN
           (SELECT string_agg(attname, ', ') FROM pg_catalog.generate_series(0, pg_catalog.array_upper(pr.prattrs::pg_catalog.int2[], 1)) s,
           pg_catalog.pg_attribute WHERE attrelid = pr.prrelid AND attnum = prattrs[s]) ELSE NULL END) FROM pg_catalog.pg_publication p
           JOIN pg_catalog.pg_publication_rel pr ON p.oid = pr.prpubid JOIN pg_catalog.pg_class c ON c.oid = pr.prrelid
           WHERE pr.prrelid = '16732'
           UNION SELECT pubname , NULL , NULL FROM pg_catalog.pg_publication p WHERE p.puballtables AND
           pg_catalog.pg_relation_is_publishable('16732') ORDER BY 1)",
        R"(SELECT c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c, pg_catalog.pg_inherits i WHERE c.oid = i.inhparent AND
           i.inhrelid = '16732' AND c.relkind != 'p' AND c.relkind != 'I' ORDER BY inhseqno)",
        R"(SELECT c.oid::pg_catalog.regclass, c.relkind, inhdetachpending, pg_catalog.pg_get_expr(c.relpartbound, c.oid)
           FROM pg_catalog.pg_class c, pg_catalog.pg_inherits i WHERE c.oid = i.inhrelid AND i.inhparent = '16732'
           ORDER BY pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', c.oid::pg_catalog.regclass::pg_catalog.text)",
        R"(SELECT n.nspname as "Schema", c.relname as "Name", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN
           'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' END as "Type", pg_catalog.pg_get_userbyid(c.relowner) as
           "Owner" FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am
           ON am.oid = c.relam WHERE c.relkind IN ('r','p','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND
           n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2)",
        R"(SELECT d.datname as "Name", pg_catalog.pg_get_userbyid(d.datdba) as "Owner", pg_catalog.pg_encoding_to_char(d.encoding) as
           "Encoding", d.datcollate as "Collate", d.datctype as "Ctype", d.daticulocale as "ICU Locale", CASE d.datlocprovider WHEN 'c'
           THEN 'libc' WHEN 'i' THEN 'icu' END AS "Locale Provider", pg_catalog.array_to_string(d.datacl, E'\n') AS "Access privileges"
           FROM pg_catalog.pg_database d ORDER BY 1)",
        R"(SELECT n.nspname AS "Name", pg_catalog.pg_get_userbyid(n.nspowner) AS "Owner" FROM pg_catalog.pg_namespace n
           WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1)",
        R"(SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolconnlimit, r.rolvaliduntil,
           ARRAY(SELECT b.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles b ON (m.roleid = b.oid) WHERE m.member =
           r.oid) as memberof, r.rolreplication, r.rolbypassrls FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY 1)",
        R"(SELECT n.nspname as "Schema", p.proname as "Name", pg_catalog.pg_get_function_result(p.oid) as "Result data type",
           pg_catalog.pg_get_function_arguments(p.oid) as "Argument data types", CASE p.prokind WHEN 'a' THEN 'agg' WHEN 'w' THEN 'window'
           WHEN 'p' THEN 'proc' ELSE 'func' END as "Type" FROM pg_catalog.pg_proc p LEFT JOIN pg_catalog.pg_namespace n ON n.oid =
           p.pronamespace WHERE pg_catalog.pg_function_is_visible(p.oid) AND n.nspname <> 'pg_catalog' ORDER BY 1, 2, 4)",
        R"(SELECT pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(c.oid)), pg_catalog.obj_description(c.oid, 'pg_class'),
           pg_catalog.array_to_string(c.reloptions || array(select 'toast.' || x from pg_catalog.unnest(tc.reloptions) x), ', ')
           FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid))",
        R"(SELECT pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'S', 'v', 'm', 'f', 'p') AND
           substring(pg_catalog.quote_ident(c.relname),1,3)='abc' AND pg_catalog.pg_table_is_visible(c.oid)
           UNION SELECT pg_catalog.quote_ident(n.nspname) || '.' FROM pg_catalog.pg_namespace n WHERE
           substring(pg_catalog.quote_ident(n.nspname) || '.',1,3)='abc' AND (SELECT pg_catalog.count(*) FROM pg_catalog.pg_namespace
           WHERE substring(pg_catalog.quote_ident(nspname) || '.',1,3) =
           substring('abc',1,pg_catalog.length(pg_catalog.quote_ident(nspname))+1)) > 1 LIMIT 1000)",
        R"(SELECT name AS "Column", pg_catalog.format_type(tp, tpm) AS "Type" FROM (VALUES ('ts', '1114'::pg_catalog.oid, -1),
           ('x','23'::pg_catalog.oid,-1)) s(name, tp, tpm))"));

INSTANTIATE_TEST_SUITE_P(
    Drivers, CatalogQueries,
    ::testing::Values(
        "SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid WHERE typname = "
        "'hstore'",
        "select pg_catalog.version()", "select current_schema()",
        "SELECT CAST('test plain returns' AS VARCHAR(60)) AS anon_1",
        "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%' ORDER BY nspname",
        R"(SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND
           c.relkind in ('r', 'p'))",
        R"(SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid)
           FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef) AS DEFAULT, a.attnotnull,
           a.attrelid as table_oid, pgd.description as comment, a.attgenerated as generated, (SELECT json_build_object('always',
           a.attidentity = 'a', 'start', s.seqstart, 'increment', s.seqincrement) FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c
           on s.seqrelid = c."oid" WHERE c.relkind = 'S' AND a.attidentity != '' AND s.seqrelid =
           pg_catalog.pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)::regclass::oid) as identity_options
           FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_description pgd ON (pgd.objoid = a.attrelid AND pgd.objsubid = a.attnum)
           WHERE a.attrelid = 16452 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)",
        R"(SELECT a.attname FROM pg_attribute a JOIN (SELECT unnest(ix.indkey) attnum, generate_subscripts(ix.indkey, 1) ord FROM pg_index ix
           WHERE ix.indrelid = 16452 AND ix.indisprimary) k ON a.attnum=k.attnum WHERE a.attrelid = 16452 ORDER BY k.ord)",
        R"(SELECT r.conname, pg_catalog.pg_get_constraintdef(r.oid, true) as condef FROM pg_catalog.pg_constraint r WHERE r.conrelid = 16452
           AND r.contype = 'f' ORDER BY 1)",
        R"(SELECT i.relname as relname, ix.indisunique, ix.indexprs, a.attname, a.attnum, c.conrelid, ix.indkey::varchar,
           ix.indoption::varchar, i.reloptions, am.amname FROM pg_class t join pg_index ix on t.oid = ix.indrelid join pg_class i on
           i.oid = ix.indexrelid left outer join pg_attribute a on t.oid = a.attrelid and a.attnum = ANY(ix.indkey) left outer join
           pg_constraint c on (ix.indrelid = c.conrelid and ix.indexrelid = c.conindid and c.contype in ('p', 'u', 'x'))
           left outer join pg_am am on i.relam = am.oid WHERE t.relkind IN ('r', 'v', 'f', 'm', 'p') and t.oid = 16452 and
           ix.indisprimary = 'f' ORDER BY t.relname, i.relname)",
        "SELECT * FROM unnest(current_schemas(true))",
        R"(SELECT n.nspname schema_name, c.relname table_name FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n
           ON n.oid = c.relnamespace WHERE c.relkind = ANY($1) ORDER BY 1,2)",
        R"(SELECT nsp.nspname schema_name, cls.relname table_name, att.attname column_name, att.atttypid::regtype::text type_name,
           att.atthasdef AS has_default, pg_catalog.pg_get_expr(def.adbin, def.adrelid, true) as default FROM pg_catalog.pg_attribute att
           INNER JOIN pg_catalog.pg_class cls ON att.attrelid = cls.oid INNER JOIN pg_catalog.pg_namespace nsp ON cls.relnamespace =
           nsp.oid LEFT OUTER JOIN pg_attrdef def ON def.adrelid = att.attrelid AND def.adnum = att.attnum WHERE cls.relkind = ANY($1)
           AND NOT att.attisdropped AND att.attnum > 0 ORDER BY 1, 2, att.attnum)",
        R"(SELECT unnest((select array_agg(attname ORDER BY i) from (select unnest(confkey) as attnum, generate_subscripts(confkey, 1) as i) x
           JOIN pg_catalog.pg_attribute c USING(attnum) WHERE c.attrelid = fk.confrelid)) as parentcolumn FROM pg_catalog.pg_constraint fk
           WHERE fk.contype = 'f')",
        R"(SELECT n.nspname schema_name, p.proname func_name, p.proargnames, COALESCE(proallargtypes::regtype[],
           proargtypes::regtype[])::text[], p.proargmodes, prorettype::regtype::text return_type, p.prokind = 'a' is_aggregate
           FROM pg_catalog.pg_proc p INNER JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.prorettype::regtype !=
           'trigger'::regtype ORDER BY 1, 2)",
        R"(SELECT n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME, CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema' WHEN true
           THEN CASE WHEN n.nspname = 'pg_catalog' THEN CASE c.relkind WHEN 'r' THEN 'SYSTEM TABLE' ELSE NULL END ELSE NULL END WHEN false
           THEN CASE c.relkind WHEN 'r' THEN 'TABLE' ELSE NULL END ELSE NULL END AS TABLE_TYPE, d.description AS REMARKS
           FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND
           d.objsubid = 0 and d.classoid = 'pg_class'::regclass) WHERE c.relnamespace = n.oid AND c.relname LIKE 't' AND (false OR
           ( c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' )) ORDER BY TABLE_TYPE,TABLE_SCHEM,TABLE_NAME)",
        R"(SELECT nspname AS TABLE_SCHEM, NULL AS TABLE_CATALOG FROM pg_catalog.pg_namespace WHERE nspname <> 'pg_toast' AND (nspname !~
           '^pg_temp_' OR nspname = (pg_catalog.current_schemas(true))[1]) AND (nspname !~ '^pg_toast_temp_' OR nspname =
           replace((pg_catalog.current_schemas(true))[1], 'pg_temp_', 'pg_toast_temp_')) ORDER BY TABLE_SCHEM)",
        R"(SELECT * FROM (SELECT n.nspname,c.relname,a.attname,a.atttypid,a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS
           attnotnull,a.atttypmod,a.attlen,t.typtypmod,row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS attnum,
           nullif(a.attidentity, '') as attidentity,nullif(a.attgenerated, '') as attgenerated,pg_catalog.pg_get_expr(def.adbin,
           def.adrelid) AS adsrc,dsc.description,t.typbasetype,t.typtype FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON
           (c.relnamespace = n.oid) JOIN pg_catalog.pg_attribute a ON (a.attrelid=c.oid) JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid)
           LEFT JOIN pg_catalog.pg_attrdef def ON (a.attrelid=def.adrelid AND a.attnum = def.adnum) LEFT JOIN pg_catalog.pg_description
           dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid) LEFT JOIN pg_catalog.pg_class dc ON (dc.oid=dsc.classoid AND
           dc.relname='pg_class') LEFT JOIN pg_catalog.pg_namespace dn ON (dc.relnamespace=dn.oid AND dn.nspname='pg_catalog') WHERE
           c.relkind in ('r','p','v','f','m') and a.attnum > 0 AND NOT a.attisdropped AND c.relname LIKE 't') c WHERE true AND attname
           LIKE '%' ORDER BY nspname,c.relname,attnum)",
        R"(SELECT result.TABLE_CAT, result.TABLE_SCHEM, result.TABLE_NAME, result.COLUMN_NAME, result.KEY_SEQ, result.PK_NAME FROM
           (SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME,
           (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, ci.relname AS PK_NAME,
           information_schema._pg_expandarray(i.indkey) AS KEYS, a.attnum AS A_ATTNUM FROM pg_catalog.pg_class ct JOIN
           pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN
           pg_catalog.pg_index i ON ( a.attrelid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE true AND
           ct.relname = 't' AND i.indisprimary ) result where result.A_ATTNUM = (result.KEYS).x ORDER BY result.table_name,
           result.pk_name, result.key_seq)",
        R"(SELECT typinput='pg_catalog.array_in'::regproc as is_array, typtype, typname, pg_type.oid FROM pg_catalog.pg_type LEFT JOIN
           (select ns.oid as nspoid, ns.nspname, r.r from pg_namespace as ns join ( select s.r, (current_schemas(false))[s.r] as nspname
           from generate_series(1, array_upper(current_schemas(false), 1)) as s(r) ) as r using ( nspname ) ) as sp ON sp.nspoid =
           typnamespace ORDER BY sp.r, pg_type.oid DESC)",
        R"(SELECT c.oid, a.attnum, a.attname, c.relname, n.nspname, a.attnotnull OR (t.typtype = 'd' AND t.typnotnull), a.attidentity != ''
           OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval(%' FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON
           (c.relnamespace = n.oid) JOIN pg_catalog.pg_attribute a ON (c.oid = a.attrelid) JOIN pg_catalog.pg_type t ON (a.atttypid =
           t.oid) LEFT JOIN pg_catalog.pg_attrdef d ON (d.adrelid = a.attrelid AND d.adnum = a.attnum) JOIN (SELECT 16566 AS oid , 1 AS
           attnum UNION ALL SELECT 16566, 2) vals ON (c.oid = vals.oid AND a.attnum = vals.attnum))",
        R"(SELECT pkn.nspname, con.conname, pos.n AS KEY_SEQ FROM pg_catalog.pg_namespace pkn, pg_catalog.pg_class pkc,
           pg_catalog.pg_attribute pka, pg_catalog.pg_constraint con, pg_catalog.generate_series(1, 32) pos(n) WHERE pkn.oid =
           pkc.relnamespace AND pkc.oid = pka.attrelid AND pka.attnum = con.confkey[pos.n] AND con.confrelid = pkc.oid AND con.contype =
           'f' ORDER BY 1, 2, pos.n)",
        "SELECT setting FROM pg_catalog.pg_settings WHERE name='max_index_keys'",
        R"(select ta.attname, ia.attnum, ic.relname, n.nspname, tc.relname from ((((pg_catalog.pg_attribute ta inner join
           pg_catalog.pg_class tc on tc.oid = ta.attrelid) inner join pg_catalog.pg_namespace n on n.oid = tc.relnamespace) inner join
           pg_catalog.pg_index i on i.indrelid = tc.oid) inner join pg_catalog.pg_class ic on ic.oid = i.indexrelid),
           pg_catalog.pg_attribute ia where ia.attrelid = i.indexrelid AND ta.attrelid = i.indrelid AND ta.attnum =
           i.indkey[ia.attnum-1] AND (NOT ta.attisdropped) AND (NOT ia.attisdropped) order by ia.attnum)",
        "select oid, typbasetype from pg_type where typname = 'lo'",
        R"(SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attgenerated, collname,
           collnsp.nspname FROM pg_class c JOIN pg_namespace n ON relnamespace = n.oid LEFT JOIN pg_attribute a ON attrelid = c.oid AND
           attnum > 0 AND NOT attisdropped LEFT JOIN pg_attrdef ad ON adrelid = c.oid AND adnum = attnum LEFT JOIN pg_collation coll ON
           coll.oid = attcollation LEFT JOIN pg_namespace collnsp ON collnsp.oid = collnamespace WHERE c.relkind IN ('r','v','f','m','p')
           AND n.nspname = 'public' AND c.relname IN ('t') ORDER BY c.relname, a.attnum)",
        "SELECT pg_catalog.pg_relation_size('public.trades'::pg_catalog.regclass) / 8192",
        "SELECT quote_literal($1::\"pg_catalog\".\"text\"::text)",
        R"(select * from information_schema.columns where table_name = $1 and table_catalog = current_database() and table_schema =
           current_schema())",
        "SELECT ts, sym FROM public.trades WHERE ((sym = ANY ('{AAPL,MSFT}'::text[]))) AND ((ts >= "
        "'2024-01-01 01:00:00'))",
        "SELECT r1.ts FROM (public.trades r1 INNER JOIN public.trades r2 ON (((r1.ts = r2.ts)))) LIMIT "
        "2::bigint",
        "SELECT NULL FROM public.trades ORDER BY ts ASC NULLS LAST FOR UPDATE"));

INSTANTIATE_TEST_SUITE_P(
    Tools, CatalogQueries,
    ::testing::Values(
        "SELECT current_setting('server_version_num')::int/100 as version",
        "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'",
        R"(select quote_ident(table_name) as "table" from information_schema.tables where quote_ident(table_schema) not in
           ('information_schema', 'pg_catalog') and table_type = 'BASE TABLE' and quote_ident(table_schema) IN (SELECT CASE WHEN
           trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END FROM
           generate_series(array_lower(string_to_array(current_setting('search_path'),','),1),
           array_upper(string_to_array(current_setting('search_path'),','),1)) as i, string_to_array(current_setting('search_path'),',') s))",
        R"(select quote_ident(column_name) as "column", data_type as "type" from information_schema.columns where quote_ident(table_name)
           = 't')",
        "SELECT floor(extract(epoch from ts)/300)*300 AS \"time\", avg(price) FROM trades GROUP BY 1 ORDER "
        "BY 1",
        "SELECT extract(epoch from ts) as \"time\", price FROM trades WHERE ts BETWEEN "
        "'2024-01-01T00:00:00Z' AND '2024-01-02T00:00:00.123Z'",
        R"(select 'db' as database, tablename as name, schemaname as schema, 'table' as type from pg_tables where schemaname ilike 'x'
           union all select 'db' as database, viewname as name, schemaname as schema, 'view' as type from pg_views where schemaname ilike
           'x')",
        "select count(*) from pg_namespace where nspname = 'x'",
        R"(SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid AND
           d.objsubid=0 AND d.classoid='pg_namespace'::regclass ORDER BY nspname)",
        "SELECT current_schema(),session_user",
        "SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE datname='x'",
        "SELECT string_agg(word, ',') from pg_catalog.pg_get_keywords() where word <> ALL "
        "('{a,abs}'::text[])",
        "SELECT * FROM pg_catalog.pg_enum WHERE 1<>1 LIMIT 1",
        R"(SELECT t.oid,t.*,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, d.description FROM
           pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid LEFT OUTER JOIN pg_catalog.pg_description d ON
           t.oid=d.objoid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c'))",
        R"(SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr FROM pg_catalog.pg_class c LEFT
           OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass WHERE
           c.relnamespace=2200 AND c.relkind not in ('i','I','c'))",
        R"(WITH x AS (SELECT schemaname, tablename FROM pg_tables UNION SELECT schemaname, viewname FROM pg_views) SELECT schemaname,
           tablename, has_any_column_privilege('"' || replace(schemaname, '"', '""') || '"' || '.' || '"' || replace(tablename, '"',
           '""') || '"', 'SELECT') FROM x)",
        "SELECT * FROM pg_replication_slots WHERE slot_name = $1 AND database = $2 AND plugin = $3",
        "SELECT DISTINCT t.schemaname, t.tablename , t.attnames FROM pg_catalog.pg_publication_tables t "
        "WHERE t.pubname IN ('pub')",
        R"(SELECT DISTINCT (CASE WHEN (array_length(gpt.attrs, 1) = c.relnatts) THEN NULL ELSE gpt.attrs END) FROM pg_publication p,
           LATERAL pg_get_publication_tables(p.pubname) gpt, pg_class c WHERE gpt.relid = 16988 AND c.oid = gpt.relid AND p.pubname IN
           ( 'pub' ))",
        R"(SELECT a.attnum, a.attname, a.atttypid, a.attnum = ANY(i.indkey) FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_index i
           ON (i.indexrelid = pg_get_replica_identity_index(16988)) WHERE a.attnum > 0::pg_catalog.int2 AND NOT a.attisdropped AND
           a.attgenerated = '' AND a.attrelid = 16988 ORDER BY a.attnum)",
        R"(WITH RECURSIVE typeinfo_tree(oid, ns, name, kind, basetype, elemtype, depth) AS (SELECT ti.oid, ns.nspname, ti.typname,
           ti.typtype, ti.typbasetype, ti.typelem, 0 FROM pg_catalog.pg_type AS ti INNER JOIN pg_catalog.pg_namespace ns ON (ns.oid =
           ti.typnamespace) WHERE ti.oid = any($1::oid[]) UNION ALL SELECT ti.oid, ti.typname, ti.typname, ti.typtype, ti.typbasetype,
           ti.typelem, tt.depth + 1 FROM pg_catalog.pg_type ti, typeinfo_tree tt WHERE (tt.elemtype IS NOT NULL AND ti.oid =
           tt.elemtype)) SELECT DISTINCT *, basetype::regtype::text AS basetype_name, elemtype::regtype::text AS elemtype_name FROM
           typeinfo_tree ORDER BY depth DESC)"));

}  // namespace
}  // namespace idem::test
