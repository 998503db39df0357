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
DROP USER reader;
DROP ROLE team;
DROP ROLE IF EXISTS team;
DROP ROLE team;
