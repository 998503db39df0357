// The words of IdemDB's SQL: PostgreSQL's, and those of time series, versions and runs.
import { PostgreSQL, SQLDialect } from '@codemirror/lang-sql';

const KEYWORDS = `sample fill align calendar observation latest asof lt splice tolerance prev linear dedup upsert keys version wal designated
  partition day week month year hour overwrite replace dynamic list detach attach freeze restore undrop history tag retain vacuum run replay skip
  force forget slot advance describe ttl immutable capacity cache index keep deleted merge matched source target backup checkpoint materialized
  refresh explain analyze of to system_time timestamp columns tables partitions`;
const TYPES = 'symbol long short double string varchar timestamp timestamptz date uuid boolean bigint integer smallint real decimal numeric jsonb bytea interval';
const FUNCTIONS = `tables table_columns table_partitions table_history table_tags table_changes changes_of change_slots runs sessions wal_status memory
  dropped_tables pg_cancel_backend count sum avg min max first last first_not_null last_not_null vwap ksum count_distinct approx_percentile
  approx_count_distinct stddev variance corr arg_min arg_max mode string_agg array_agg timestamp_floor timestamp_ceil date_trunc date_bin dateadd
  datediff to_str to_timestamp extract now systimestamp row_number rank dense_rank lag lead first_value last_value coalesce nullif greatest least
  round abs floor ceil sqrt ln exp power upper lower length substring replace concat md5 regexp_replace split_part generate_series`;

function joined(...lists: (string | undefined)[]): string {
  return [...new Set(lists.join(' ').split(/\s+/).filter(Boolean))].join(' ');
}

export const idemDialect = SQLDialect.define({
  ...PostgreSQL.spec,
  keywords: joined(PostgreSQL.spec.keywords, KEYWORDS),
  types: joined(PostgreSQL.spec.types, TYPES),
  builtin: joined(PostgreSQL.spec.builtin, FUNCTIONS),
  identifierQuotes: '"`',
  caseInsensitiveIdentifiers: true,
});
