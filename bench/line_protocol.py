#!/usr/bin/python3
"""Rows a second of InfluxDB line protocol over HTTP, into a table with upsert keys: the first time, and all sent again.

    bench/line_protocol.py build/release/idemdb [--rows 2000000] [--rounds 3] [--megabytes 8]

Starts a server of its own on 127.0.0.1. One connection posts trades of 100 symbols in the order of time, a request for each 8 MB; the next
is sent when the one before was answered, that is, is on the disk. Prints medians, and the server's CPU seconds.
"""
import argparse, http.client, os, statistics, subprocess, sys, tempfile, time

TABLE = ("CREATE TABLE trades (ts TIMESTAMP, sym SYMBOL, side SYMBOL, price DOUBLE, amount DOUBLE) TIMESTAMP(ts) PARTITION BY DAY "
         "DEDUP UPSERT KEYS(ts, sym)")


class Server:
    def __init__(self, binary, folder):
        port_file = folder + "/port"
        self.process = subprocess.Popen([binary, "--data", folder + "/data", "--port", "0", "--http-port", "0", "--port-file", port_file],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not os.path.exists(port_file) or "http" not in open(port_file).read():
            if self.process.poll() is not None: sys.exit("the server does not start")
            time.sleep(0.01)
        port = next(int(line.split()[1]) for line in open(port_file) if line.startswith("http"))
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def post(self, path, body):
        self.connection.request("POST", path, body)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300: sys.exit("%d %s" % (answer.status, text[:300]))
        return text

    def cpu(self):
        fields = open("/proc/%d/stat" % self.process.pid).read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def requests(rows, bytes_of_each):
    """The lines of all rows, cut into bodies. Moments are a millisecond and some apart, prices have four digits behind the point."""
    bodies, lines, size = [], [], 0
    for i in range(rows):
        line = "trades,sym=S%d,side=%s price=%d.%04d,amount=0.%03d %d\n" % (
            i * 7 % 100, "buy" if i * 31 % 7 < 4 else "sell", 100 + i % 100, i * 37 % 10000, i * 13 % 1000, 1704067200000000 + i * 1296)
        lines.append(line)
        size += len(line)
        if size >= bytes_of_each:
            bodies.append("".join(lines).encode())
            lines, size = [], 0
    if lines: bodies.append("".join(lines).encode())
    return bodies


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("idemdb")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=8)
    arguments = parser.parse_args()
    bodies = requests(arguments.rows, arguments.megabytes << 20)
    costs = {"the first time": [], "sent again": []}
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder:
            server = Server(arguments.idemdb, folder)
            server.post("/exec", TABLE)
            for costs_of_load in costs.values():
                begun, cpu = time.monotonic(), server.cpu()
                for body in bodies: server.post("/write?precision=us", body)
                costs_of_load.append((arguments.rows / (time.monotonic() - begun), server.cpu() - cpu))
            count = server.post("/exec", "SELECT count() FROM trades")
            if b"[[%d]]" % arguments.rows not in count: sys.exit("rows are missing: %s" % count.decode())
            server.stop()
    print("%d rows, %d MB in %d requests" % (arguments.rows, sum(map(len, bodies)) >> 20, len(bodies)))
    for name, values in costs.items():
        print("%-16s %10d rows/s   %6.2f s of CPU" % (name, *map(statistics.median, zip(*values))))


if __name__ == "__main__":
    main()
