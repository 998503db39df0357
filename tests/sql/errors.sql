-- An error says what was wrong, where, and what would have been right.
CREATE TABLE prices (ts TIMESTAMP, ticker SYMBOL, price DOUBLE) TIMESTAMP(ts);
SELECT prise FROM prices;
SELECT p.tickr FROM prices p;
SELECT * FROM price;
SELECT ticker FROM prices WHERE ticker = "AAPL";
SELECT frist(price) FROM prices;
SELECT * FORM prices;
SELECT * FROM prices WHERE;
SELECT 1 + );
CREATE TABLE x (a INT,, b INT);
CREATE TABLE x (a INTT);
INSERT INTO prices VALUES ('2024-01-01', 'A', 1, 2);
INSERT INTO prices VALUES ('2024-01-01', 'A', 'expensive');
UPDATE prices SET prce = 1;
SELECT price + ticker FROM prices;
SELECT ts FROM prices SAMPLE 1h;
DROP TABLE pricess;
SELECT * FROM prices LATEST BY ticker ON;
SET timezone = 'Mars/Olympus';
SELECT 'abc
';
