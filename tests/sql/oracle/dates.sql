-- Parts of a moment.
SELECT extract(year FROM t), extract(month FROM t), extract(day FROM t), extract(hour FROM t), extract(second FROM t), extract(dow FROM t), extract(doy FROM t),
       extract(week FROM t), extract(quarter FROM t), extract(epoch FROM t)
FROM (VALUES (timestamp '2024-02-29 13:14:15.5'), (timestamp '1969-12-31 23:59:59'), (timestamp '2021-01-03 00:00')) AS v(t);
SELECT date_part('isodow', date '2024-01-14'), extract(isoyear FROM date '2021-01-03'), extract(millisecond FROM time '01:02:03.5');

-- Truncation and bins.
SELECT date_trunc(u, timestamp '2024-02-29 13:14:15.678') FROM (VALUES ('second'), ('minute'), ('hour'), ('day'), ('week'), ('month'), ('quarter'), ('year')) AS v(u);
SELECT date_bin('15 minutes', timestamp '2024-01-15 10:44:59', timestamp '2024-01-01'), date_bin('1 hour', timestamp '1969-12-31 23:30', timestamp '2000-01-01 00:15');

-- Arithmetic: months are clipped to their last day, days are not hours.
SELECT date '2024-01-31' + interval '1 month', timestamp '2024-03-31 10:00' - interval '1 month', date '2024-02-28' + 2, date '2024-03-01' - date '2024-02-01';
SELECT timestamp '2024-03-01 12:00' - timestamp '2024-02-28 18:30', age(timestamp '2024-03-01', timestamp '2023-12-31');
SELECT interval '1 day' * 2.5, interval '90 minutes', interval '1 year 2 months 3 days 04:05:06.7', -interval '1 day 02:00', justify_hours(interval '36 hours');
SELECT time '23:30' + interval '1 hour', time '10:00' - time '08:30', date '2024-01-15' + time '10:00';

-- Input in several forms.
SELECT '2024-01-15T10:00:00'::timestamp, '2024-01-15 10:00:00.123456'::timestamp, '2024-01-15'::timestamp, '2024-1-5 1:02'::timestamp, 'epoch'::timestamp;
SELECT '2024-01-15 10:00:00+02'::timestamptz, '2024-01-15T10:00:00Z'::timestamptz, timestamp '2024-07-01 12:00' AT TIME ZONE 'Europe/Berlin';
SELECT timestamptz '2024-07-01 12:00+00' AT TIME ZONE 'Europe/Berlin', timestamptz '2024-01-01 12:00+00' AT TIME ZONE 'America/New_York';
SELECT '0001-01-01'::date, '9999-12-31'::date, 'infinity'::timestamp, '-infinity'::date;

-- Output of text forms.
SELECT to_char(timestamp '2024-02-09 13:04:05.678', 'YYYY-MM-DD HH24:MI:SS.MS'), to_char(timestamp '2024-02-09', 'Mon DD, YYYY'), to_timestamp(0), make_date(2024, 2, 29);

-- Series.
SELECT * FROM generate_series(timestamp '2024-01-31', timestamp '2024-04-30', interval '1 month') AS g(t);
SELECT * FROM generate_series(3, 1, -1) AS g(x);
