#!/usr/bin/env python3
"""Uses the web console as a person does: headless Chromium on a server with the sample data.

  console_test.py [--screenshots DIR] [--url URL --sql-port PORT]

  --screenshots   leaves pictures of every page there
  --url           a console that runs already, on a server that holds nothing else; otherwise one is started

Needs chromium, chromium-driver and python3-selenium."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PATIENCE_SECONDS = 30
SAMPLE_DATA = f"""
CREATE TABLE btc_trades (symbol SYMBOL, side SYMBOL, price DOUBLE, amount DOUBLE, timestamp TIMESTAMP)
  TIMESTAMP(timestamp) PARTITION BY HOUR DEDUP UPSERT KEYS(timestamp, symbol, price, amount);
CREATE TABLE ecommerce_stats (ts TIMESTAMP, country SYMBOL, category SYMBOL, visits LONG, unique_visitors LONG, sales DOUBLE, number_of_products INT)
  TIMESTAMP(ts) PARTITION BY MONTH DEDUP UPSERT KEYS(ts, country, category);
\\copy btc_trades FROM '{ROOT}/tests/data/btc_trades.csv' CSV HEADER
\\copy ecommerce_stats FROM '{ROOT}/tests/data/ecommerce_stats.csv' CSV HEADER
CHECKPOINT;
CREATE VIEW sales_by_day AS SELECT ts, country, sum(sales) AS sales FROM ecommerce_stats SAMPLE BY 1d;
BEGIN RUN 'cleaning/2022-01';
DELETE FROM ecommerce_stats WHERE visits = 0;
COMMIT;
UPDATE ecommerce_stats SET sales = sales * 2 WHERE country = 'FR';
ALTER TABLE ecommerce_stats CREATE TAG 'reviewed' AS OF VERSION 1;
"""
CANDLES = "SELECT timestamp, side, first(price) AS open, max(price) AS high, min(price) AS low, last(price) AS close\nFROM btc_trades\nSAMPLE BY 1m"
ENDLESS = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a.a + b.b < 0"


class Server:
    """An idemdb with HTTP on free ports and a folder of its own."""

    def __init__(self, *arguments):
        self.folder = tempfile.TemporaryDirectory()
        self.arguments = list(arguments)
        self.port, self.http_port = 0, 0
        self.start()

    def start(self):
        port_file = os.path.join(self.folder.name, "port")
        if os.path.exists(port_file): os.remove(port_file)
        self.process = subprocess.Popen(
            [os.path.join(ROOT, "build", "release", "idemdb"), "--data", os.path.join(self.folder.name, "data"), "--port", str(self.port),
             "--http-port", str(self.http_port), "--port-file", port_file, "--log-level", "warn"] + self.arguments, stdin=subprocess.DEVNULL)
        wait("the server to start", lambda: os.path.exists(port_file) and open(port_file).read().endswith("\n"))
        lines = open(port_file).read().split("\n")
        self.port, self.http_port = int(lines[0]), int(next(line.split()[1] for line in lines if line.startswith("http ")))
        self.url = f"http://127.0.0.1:{self.http_port}"

    def stop(self):
        self.process.terminate()
        self.process.wait()


def psql(port, sql):
    command = ["psql", "-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", str(port), "-U", "admin", "-d", "main"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True), sql


def answer(port, sql):
    process, text = psql(port, sql)
    output, errors = process.communicate(text)
    if errors: raise RuntimeError(errors)
    return output.strip()


def wait(what, condition):
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            found = condition()
            if found: return found
        except Exception as error:
            if time.monotonic() > end: raise AssertionError(f"waited in vain for {what}: {error}")
        if time.monotonic() > end: raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.05)


class Page:
    def __init__(self, url, screenshots):
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars=false", "--lang=en-US"):
            options.add_argument(argument)
        options.binary_location = "/usr/bin/chromium"
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source":
            "window.violations = []; document.addEventListener('securitypolicyviolation', (event) => event.target.className === 'editor' ||"
            " window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))"})
        self.screenshots, self.url = screenshots, url
        self.size(1280, 800)

    def size(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def open(self, url=None):
        self.driver.get(url or self.url)

    def all(self, selector): return self.driver.find_elements(By.CSS_SELECTOR, selector)
    def one(self, selector): return wait(selector, lambda: self.all(selector)[0])
    def text(self, selector): return self.one(selector).text

    def button(self, text, within="body"):
        """A button, tab or link with this text."""
        return wait(f'"{text}"', lambda: [e for e in self.all(f"{within} button, {within} a") if e.text.strip() == text and e.is_displayed()][0])

    def click(self, text, within="body"):
        def attempt():
            self.button(text, within).click()
            return True
        wait(f'"{text}" to take a click', attempt)

    def sees(self, text, selector="body"): wait(f'"{text}" in {selector}', lambda: text in self.all(selector)[0].text)

    def write(self, sql):
        """Replaces what is in the editor."""
        self.one(".editor").click()
        self.keys("a", Keys.CONTROL)
        self.driver.execute_cdp_cmd("Input.insertText", {"text": sql})
        self.keys(Keys.ESCAPE)  # no list of completions

    def keys(self, key, *modifiers):
        chain = ActionChains(self.driver)
        for modifier in modifiers: chain.key_down(modifier)
        chain.send_keys(key)
        for modifier in reversed(modifiers): chain.key_up(modifier)
        chain.perform()

    def run(self, sql):
        self.click("Query", ".bar")
        self.write(sql)
        self.keys(Keys.ENTER, Keys.CONTROL)

    def picture(self, name):
        if not self.screenshots: return
        time.sleep(0.4)  # for what fades and resizes
        self.driver.save_screenshot(os.path.join(self.screenshots, name + ".png"))

    def complaints(self):
        """Errors of scripts, and violations of the content security policy. Statements that fail are answered 4xx. Where text in the editor is
        replaced Chromium itself tries to keep its colours by a style attribute, which the policy forbids."""
        errors = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE" and entry["source"] != "network"]
        violations = self.driver.execute_script("return (window.violations ?? []).splice(0)")
        return [error for error in errors if "Content Security Policy" not in error] + violations


def shows_the_schema(page, sql_port):
    page.open()
    page.sees("btc_trades", ".tree")
    page.sees("sales_by_day", ".tree")
    rows = wait("the table's node", lambda: [row for row in page.all(".node-row") if row.text.startswith("ecommerce_stats")][0])
    rows.find_element(By.CSS_SELECTOR, ".twisty").click()
    page.sees("number_of_products", ".tree")
    wait("the partitions' node", lambda: [row for row in page.all(".node-row") if row.text.startswith("partitions")][0]).click()
    page.sees("2022-", ".tree")


def runs_the_statement_at_the_cursor(page, sql_port):
    page.run("SELECT 1 AS first_one;\n\nSELECT side, count(*) AS n FROM btc_trades GROUP BY side ORDER BY side")
    page.sees("2 rows", "[data-test=summary]")
    assert [cell.text for cell in page.all(".grid-cell")][0] == "buy"
    page.keys(Keys.HOME, Keys.CONTROL)
    page.keys(Keys.ENTER, Keys.CONTROL)
    page.sees("first_one", ".grid-head")


def scrolls_a_long_result(page, sql_port):
    page.run("SELECT * FROM btc_trades")
    page.sees("5,882 rows", "[data-test=summary]")
    page.picture("table")
    page.one(".grid").click()
    page.keys(Keys.END, Keys.CONTROL)
    last = answer(sql_port, "SELECT price FROM btc_trades LIMIT -1")
    wait("the last row", lambda: page.all(".grid-row")[-1].text.startswith("5,882") and last in page.all(".grid-row")[-1].text)


def scrolls_millions_of_rows(page, sql_port):
    page.run("SELECT a AS n, a * 2 AS twice FROM generate_series(1, 3000000) AS g(a)")
    page.sees("3,000,000 rows", "[data-test=summary]")
    page.one(".grid").click()
    page.keys(Keys.END, Keys.CONTROL)
    wait("the last row", lambda: page.all(".grid-row")[-1].text.split() == ["3,000,000", "3000000", "6000000"])
    page.driver.execute_script("const grid = document.querySelector('.grid'); grid.scrollTop = (grid.scrollHeight - grid.clientHeight) / 2")
    wait("rows in the middle", lambda: any(row.text.startswith("1,500,0") and len(row.text.split()) == 3 for row in page.all(".grid-row")))


def marks_where_an_error_is(page, sql_port):
    page.run("SELECT symbol,\n  prize\nFROM btc_trades")
    page.sees("prize", ".message.is-bad")
    page.sees("42703", ".message.is-bad")
    marked = page.driver.execute_script("return document.querySelector('.editor').shadowRoot.querySelector('.cm-error')?.textContent")
    assert marked == "prize", marked
    page.picture("error")


def draws_a_chart(page, sql_port):
    page.run(CANDLES)
    page.sees("rows in", "[data-test=summary]")
    page.click("Chart")
    page.one(".line-chart canvas")
    page.sees("buy", ".u-legend")
    page.sees("sell", ".u-legend")
    page.click("close", ".chips")
    page.sees("buy close", ".u-legend")
    page.click("close", ".chips")
    page.driver.execute_script(
        "const area = document.querySelector('.u-over'), at = area.getBoundingClientRect();"
        "area.dispatchEvent(new MouseEvent('mousemove', {clientX: at.x + at.width * 0.6, clientY: at.y + at.height * 0.4, bubbles: true}))")
    page.picture("chart")
    page.click("Table", ".switch")


def draws_what_is_finite(page, sql_port):
    page.run("SELECT '2024-01-01'::timestamp + g * '1 s'::interval AS at, (ARRAY['NaN', 'Infinity', '1', '2', '3'])[1 + g % 5]::double AS odd, NULL::double AS none "
             "FROM generate_series(1, 50) AS g")
    page.sees("50 rows", "[data-test=summary]")
    page.click("Chart")
    page.sees("20 values not finite", ".chart-choice")
    page.one(".line-chart canvas")
    page.picture("odd_chart")
    page.click("odd", ".chips")
    page.sees("No values to draw", ".chart")
    page.run("SELECT now() AS at, " + ", ".join(f"{n} AS a_number_{n}" for n in range(1000)))
    page.sees("1 row", "[data-test=summary]")
    wait("room for the chart", lambda: page.one(".line-chart canvas").size["height"] > 100)
    page.click("Table", ".switch")
    page.open(page.url + "/#/nowhere")
    page.sees("There is no such page", "main")


def answers_a_write(page, sql_port):
    page.run("CREATE TABLE notes (at TIMESTAMP, text VARCHAR) TIMESTAMP(at) DEDUP UPSERT KEYS(at)")
    page.sees("CREATE TABLE", ".message.is-good")
    page.sees("notes", ".tree")
    page.run("BEGIN; INSERT INTO notes VALUES ('2024-01-01', 'a'), ('2024-01-02', 'b'); COMMIT")
    page.sees("COMMIT", ".message.is-good")
    page.run("BEGIN; INSERT INTO notes VALUES ('2024-01-03', 'c')")
    page.sees("this leaves a transaction open", ".message.is-bad")
    assert answer(sql_port, "SELECT count(*) FROM notes") == "2"
    page.run("SELECT * FROM notes WHERE text = 'none'")
    page.sees("No rows", ".result-body")
    page.run("DROP TABLE notes")
    wait("the tree without it", lambda: "notes" not in page.text(".tree"))


def shows_runs(page, sql_port):
    page.open(page.url + "/#/table/ecommerce_stats/runs")
    page.sees("cleaning/2022-01", ".data")
    page.click("Partitions", ".tabs")
    page.sees("2022-01", ".data")
    page.picture("partitions")
    page.click("Definition", ".tabs")
    page.sees("DEDUP UPSERT KEYS", ".definition")
    page.click("Columns", ".tabs")
    page.sees("designated timestamp", ".data")


def restores_a_version(page, sql_port):
    before = answer(sql_port, "SELECT sum(sales) FROM ecommerce_stats VERSION AS OF 1")
    assert answer(sql_port, "SELECT sum(sales) FROM ecommerce_stats") != before
    page.open(page.url + "/#/table/ecommerce_stats/history")
    page.sees("reviewed", ".data")
    page.picture("history")
    row = wait("the line of version 1", lambda: [row for row in page.all(".data tbody tr") if row.text.startswith("1 ")][0])
    row.find_element(By.XPATH, ".//button[contains(., 'Restore')]").click()
    page.sees("RESTORE TABLE ecommerce_stats TO VERSION AS OF 1", ".dialog")
    page.picture("restore")
    page.click("Keep as it is", ".dialog")
    assert answer(sql_port, "SELECT sum(sales) FROM ecommerce_stats") != before
    row.find_element(By.XPATH, ".//button[contains(., 'Restore')]").click()
    page.click("Restore", ".dialog")
    page.sees("RESTORE", ".data")
    assert answer(sql_port, "SELECT sum(sales) FROM ecommerce_stats") == before


def cancels_statements(page, sql_port):
    page.run(ENDLESS)
    page.sees("Running for", ".result-pane")
    page.keys(Keys.ESCAPE)
    page.sees("Cancelled", ".result-pane")
    wait("the server to end it", lambda: answer(sql_port, "SELECT count(*) FROM sessions() WHERE query LIKE '%generate_series(1, 1000000)%' AND pid <> pg_backend_pid() AND state = 'active'") == "0")
    other, text = psql(sql_port, "")
    other.stdin.write(ENDLESS + ";")
    other.stdin.close()
    page.click("Activity", ".bar")
    page.sees("generate_series", ".data")
    page.picture("activity")
    page.click("Cancel", ".data")
    assert "canceling statement" in other.stderr.read()
    other.wait()


def watches_ingest(page, sql_port):
    page.click("Ingest", ".bar")
    page.sees("Last writes")
    answer(sql_port, "CREATE TABLE ticks (ts TIMESTAMP, v DOUBLE) TIMESTAMP(ts) DEDUP UPSERT KEYS(ts)")
    def write_twice(round):  # half of the rows are those of the round before
        answer(sql_port, f"INSERT INTO ticks SELECT TIMESTAMP '2024-01-01' + ((a + {300 * round}) || ' ms')::interval, a + {300 * round} "
                         "FROM generate_series(1, 600) AS g(a)")

    for round in range(25 if page.screenshots else 4):
        write_twice(round)
        time.sleep(0.4)
    page.sees("ticks", ".data")
    wait("skipped rows a second", lambda: write_twice(0) or re.search(r"(?i)skipped\n[1-9]", page.text(".tiles")))
    page.picture("ingest")
    answer(sql_port, "DROP TABLE ticks")


def fits_dark_and_narrow_windows(page, sql_port):
    page.click("Query", ".bar")
    page.run(CANDLES)
    page.sees("rows in", "[data-test=summary]")
    page.one("[aria-label='Use dark colours']").click()
    page.picture("dark_table")
    page.click("Chart")
    page.one(".line-chart canvas")
    page.picture("dark_chart")
    page.open(page.url + "/#/table/ecommerce_stats/history")
    page.sees("RESTORE", ".data")
    page.picture("dark_history")
    page.size(420, 800)
    page.picture("narrow_history")
    page.one(".menu-button").click()
    page.sees("btc_trades", ".tree")
    page.picture("narrow_tree")
    page.driver.execute_script("document.querySelector('.shade').click()")  # its middle is under the tree
    page.click("Query", "header")
    page.picture("narrow_query")
    width = page.driver.execute_script("return document.documentElement.scrollWidth")
    assert width <= 420, f"the page is {width} pixels wide"
    page.size(1280, 800)
    page.one("[aria-label='Use light colours']").click()


STEPS = [shows_the_schema, runs_the_statement_at_the_cursor, scrolls_a_long_result, scrolls_millions_of_rows, marks_where_an_error_is, draws_a_chart,
         draws_what_is_finite, answers_a_write, shows_runs, restores_a_version, cancels_statements, watches_ingest, fits_dark_and_narrow_windows]


def survives_a_restart(page, server):
    page.open()
    page.sees("btc_trades", ".tree")
    server.stop()
    page.run("SELECT 1")
    page.sees("the server cannot be reached", ".result-pane")
    page.sees("connection lost", ".bar")
    page.picture("lost")
    server.start()
    page.sees("admin@", ".bar")
    page.click("Run again", ".result-pane")
    page.sees("1 row", "[data-test=summary]")


def asks_for_a_password(page, server):
    answer(server.port, "ALTER USER admin PASSWORD 'correct horse'")
    server.stop()
    server.arguments = ["--auth", "scram"]
    server.start()
    page.open()
    page.sees("Sign in to IdemDB", ".dialog")
    page.picture("sign_in")
    page.one("input[name=password]").send_keys("wrong", Keys.ENTER)
    page.sees("does not know this user", ".dialog")
    page.one("input[name=password]").clear()
    page.one("input[name=password]").send_keys("correct horse", Keys.ENTER)
    page.sees("btc_trades", ".tree")
    page.run("SELECT current_user")
    page.sees("1 row", "[data-test=summary]")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screenshots", metavar="DIR")
    parser.add_argument("--url")
    parser.add_argument("--sql-port", type=int)
    options = parser.parse_args()
    if options.screenshots: os.makedirs(options.screenshots, exist_ok=True)
    server = None if options.url else Server()
    sql_port = options.sql_port or server.port
    answer(sql_port, SAMPLE_DATA)
    page = Page(options.url or server.url, options.screenshots)
    steps = [(step, sql_port) for step in STEPS] + ([(step, server) for step in (survives_a_restart, asks_for_a_password)] if server else [])
    failed = 0
    for step, subject in steps:
        name = step.__name__.replace("_", " ")
        try:
            step(page, subject)
            complaints = page.complaints()
            assert not complaints, "\n".join(complaints)
            print(f"ok   console {name}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL console {name}: {type(error).__name__}: {error}", flush=True)
            page.picture("failed_" + step.__name__)
    page.driver.quit()
    if server: server.stop()
    print(f"{len(steps) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
