-- Users and passwords; passwords are kept as SCRAM-SHA-256 verifiers.
CREATE USER reader PASSWORD 'secret';
CREATE ROLE team;
CREATE USER reader;
CREATE USER IF NOT EXISTS reader;
ALTER USER reader PASSWORD 'other';
SELECT rolname, rolsuper, rolcanlogin FROM pg_catalog.pg_roles WHERE rolname IN ('admin', 'reader', 'team') ORDER BY 1;
ALTER USER reader PASSWORD '';
ALTER USER nobody PASSWORD 'x';
DROP USER admin;

-- Limits and settings of a role's sessions.
ALTER USER reader CONNECTION LIMIT 2;
ALTER ROLE team CONNECTION LIMIT -2;
ALTER USER reader SET statement_timeout = '5s';
ALTER USER reader SET search_path = "Own", public;
ALTER USER reader SET query_memory_limit = '64MB';
ALTER USER reader SET nonsense = 1;
ALTER USER reader SET statement_timeout = 'long';
ALTER USER reader SET server_version = '99';
ALTER USER reader SET port = 1;
SELECT rolconnlimit, rolconfig FROM pg_roles WHERE rolname = 'reader';
\drds
ALTER USER reader RESET query_memory_limit;
SELECT r.rolname, s.setdatabase, s.setconfig FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole;
SET ROLE reader;
ALTER ROLE reader SET timezone = 'Europe/Berlin';
ALTER ROLE reader SET statement_timeout = '1h';
ALTER ROLE reader RESET ALL;
ALTER ROLE reader PASSWORD 'mine' CONNECTION LIMIT -1;
ALTER ROLE reader PASSWORD 'mine';
RESET ROLE;
ALTER ROLE reader RESET ALL;
SELECT rolconnlimit, rolconfig FROM pg_roles WHERE rolname = 'reader';
ALTER ROLE ALL SET timezone = 'UTC';
ALTER ROLE reader NOINHERIT;
ALTER ROLE reader IN ROLE team;
DROP USER reader;
DROP ROLE team;
DROP ROLE IF EXISTS team;
DROP ROLE team;
