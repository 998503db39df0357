-- run twice
-- Late data must not undo newer data: the profile of 09:00 arrives after that of 10:00.
DROP TABLE IF EXISTS profiles;
CREATE TABLE profiles (day TIMESTAMP, id LONG, plan SYMBOL, updated_at TIMESTAMP,
                       first_seen TIMESTAMP DEFAULT now() KEEP FIRST)
  TIMESTAMP(day) PARTITION BY MONTH DEDUP UPSERT KEYS(day, id) VERSION BY updated_at;
INSERT INTO profiles (day, id, plan, updated_at) VALUES ('2024-10-01', 7, 'pro',  '2024-10-01T10:00:00');
INSERT INTO profiles (day, id, plan, updated_at) VALUES ('2024-10-01', 7, 'free', '2024-10-01T09:00:00');
SELECT id, plan FROM profiles;                          -- 7|pro

-- The time of the first arrival stays, however often a row is sent again: the session key of a visit is made of it.
-- The tables are those of the first run, and so are the keys.
CREATE TABLE IF NOT EXISTS visits (visit_time TIMESTAMP, user_id VARCHAR, page VARCHAR, ingestion_time TIMESTAMP DEFAULT now() KEEP FIRST)
  TIMESTAMP(visit_time) PARTITION BY DAY DEDUP UPSERT KEYS(visit_time, user_id);
CREATE TABLE IF NOT EXISTS session_keys (user_id VARCHAR, session_id VARCHAR KEEP FIRST) DEDUP UPSERT KEYS(user_id);
INSERT INTO visits (visit_time, user_id, page) VALUES
  ('2024-10-01T10:00:00', 'ann', '/a'), ('2024-10-01T10:05:00', 'ann', '/b'), ('2024-10-01T10:02:00', 'bob', '/a');
INSERT INTO session_keys
SELECT DISTINCT user_id, md5(user_id || ':' || first_value(ingestion_time)
         OVER (PARTITION BY user_id ORDER BY ingestion_time ASC, visit_time ASC)) AS session_id
FROM visits ORDER BY 1;
-- An event of the visit that comes late, with a time before all others, and the others once more.
INSERT INTO visits (visit_time, user_id, page) VALUES
  ('2024-10-01T09:59:00', 'ann', '/'), ('2024-10-01T10:00:00', 'ann', '/a'), ('2024-10-01T10:02:00', 'bob', '/a');
SELECT s.user_id, s.session_id = k.session_id AS same_key
FROM (SELECT DISTINCT user_id, md5(user_id || ':' || first_value(ingestion_time)
        OVER (PARTITION BY user_id ORDER BY ingestion_time ASC, visit_time ASC)) AS session_id FROM visits) s
JOIN session_keys k ON k.user_id = s.user_id ORDER BY 1;
SELECT count() FROM visits;

-- What was deleted stays deleted for everything older, and comes back with something newer.
DROP TABLE IF EXISTS users;
CREATE TABLE users (id LONG, plan SYMBOL, updated_at TIMESTAMP, is_deleted BOOLEAN)
  DEDUP UPSERT KEYS(id) VERSION BY updated_at DELETED WHEN is_deleted;
INSERT INTO users VALUES (7, 'pro', '2024-10-01T10:00', false), (8, 'free', '2024-10-01T10:00', false);
INSERT INTO users VALUES (7, NULL, '2024-10-01T11:00', true);
INSERT INTO users VALUES (7, 'free', '2024-10-01T09:00', false), (7, 'pro', '2024-10-01T10:00', false);
SELECT id, plan FROM users;                             -- 8|free
INSERT INTO users VALUES (7, 'team', '2024-10-01T12:00', false);
SELECT id, plan FROM users;                             -- 7|team, 8|free
