"""A server of a benchmark's own on 127.0.0.1, with one connection (psycopg2), and what it costs by /proc."""
import os, socket, subprocess, sys, time
import psycopg2


class Server:
    def __init__(self, binary, folder, *options):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.folder = folder
        self.dsn = f"host=127.0.0.1 port={self.port} user=admin dbname=main"
        begun = time.monotonic()
        self.process = subprocess.Popen([binary, "--data", folder, "--port", str(self.port), *options],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while True:
            try:
                self.connection = self.connect()
                break
            except psycopg2.OperationalError:
                if self.process.poll() is not None: sys.exit("the server does not start")
                time.sleep(0.005)
        self.cursor = self.connection.cursor()
        self.run("SELECT 1")
        self.start_seconds = time.monotonic() - begun

    def connect(self):
        connection = psycopg2.connect(self.dsn)
        connection.autocommit = True
        return connection

    def run(self, text):
        self.cursor.execute(text)

    def value(self, text):
        self.run(text)
        return self.cursor.fetchone()[0]

    def seconds(self, text):
        begun = time.monotonic()
        self.run(text)
        return time.monotonic() - begun

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self, field="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024

    def written_bytes(self):
        with open(f"/proc/{self.process.pid}/io") as io:
            return next(int(line.split()[1]) for line in io if line.startswith("write_bytes"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def first_log_line(self):
        return self.process.stderr.readline().strip()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()
