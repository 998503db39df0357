"""Servers and sessions for the runners that compare answers: an IdemDB and a private PostgreSQL, spoken to through psql."""

import glob
import os
import pwd
import selectors
import shutil
import subprocess
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
RELEASE = os.path.join(ROOT, "build", "release", "idemdb")


class IdemServer:
    """An idemdb on an empty folder of its own. A context manager."""

    name = "IdemDB"

    def __init__(self, program=RELEASE):
        self.folder = tempfile.mkdtemp()
        port_file = os.path.join(self.folder, "port")
        os.mkdir(os.path.join(self.folder, "import"))
        self.errors = open(os.path.join(self.folder, "errors"), "w+")
        self.process = subprocess.Popen(
            [program, "--data", os.path.join(self.folder, "data"), "--port", "0", "--port-file", port_file,
             "--import-folder", os.path.join(self.folder, "import"), "--log-level", "warn"], stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors)
        for _ in range(1200):
            if os.path.exists(port_file) and os.path.getsize(port_file): break
            if self.process.poll() is not None: raise RuntimeError("idemdb did not start")
            time.sleep(0.05)
        self.arguments = ["-h", "127.0.0.1", "-p", open(port_file).read().strip(), "-U", "admin", "-d", "main"]

    def __enter__(self): return self

    def __exit__(self, *_):
        self.process.terminate()
        code = self.process.wait()
        self.errors.seek(0)
        errors = self.errors.read()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if code: raise RuntimeError("idemdb ended with %d:\n%s" % (code, errors[-5000:]))

    def session(self): return Session(self.name, self.arguments)


class PostgresServer:
    """A PostgreSQL with its data in a scratch folder, reached by a socket there. A context manager."""

    name = "PostgreSQL"

    def __init__(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not programs: raise RuntimeError("PostgreSQL is not installed")
        self.folder = tempfile.mkdtemp()
        os.chmod(self.folder, 0o755)
        data = os.path.join(self.folder, "postgres")
        os.mkdir(data)
        as_postgres = {}
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(data, user.pw_uid, user.pw_gid)
            as_postgres = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": data}
        subprocess.run([programs[-1] + "/initdb", "-D", data + "/data", "-U", "admin", "--locale=C.UTF-8",
                        "--encoding=UTF8", "--auth=trust", "--no-sync"], check=True, **quiet, **as_postgres)
        self.process = subprocess.Popen(
            [programs[-1] + "/postgres", "-D", data + "/data", "-k", data, "-c", "listen_addresses=",
             "-c", "timezone=UTC", "-c", "fsync=off", "-c", "max_connections=20"], **quiet, **as_postgres)
        self.arguments = ["-h", data, "-U", "admin", "-d", "postgres"]
        for _ in range(600):
            if subprocess.run(["psql", "-X", "-q"] + self.arguments + ["-c", "SELECT 1"], **quiet).returncode == 0: return
            time.sleep(0.05)
        raise RuntimeError("PostgreSQL did not start")

    def __enter__(self): return self

    def __exit__(self, *_):
        self.process.send_signal(2)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def session(self, database="postgres"):
        return Session(self.name, self.arguments[:-1] + [database])


class Session:
    """One psql. run() gives the rows of a statement (lists of strings, NULL as "NULL"), or its error."""

    END = "@@end@@"

    def __init__(self, name, arguments):
        self.name = name
        self.process = subprocess.Popen(
            ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-P", "null=NULL", "-v", "VERBOSITY=verbose"] + arguments,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def run(self, sql, timeout_seconds=120, copy_rows=None):
        """(rows, None) or (None, SQLSTATE and message). Raises RuntimeError when the server does not answer. `copy_rows` are
        lines for a COPY … FROM STDIN."""
        data = "" if copy_rows is None else copy_rows + "\\.\n"
        text = "%s\n;\n%s\\echo %s\n" % (sql.rstrip().rstrip(";"), data, self.END)
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()
        output = b""
        deadline = time.monotonic() + timeout_seconds
        while not output.endswith((self.END + "\n").encode()):
            if not self.selector.select(max(0, deadline - time.monotonic())):
                raise RuntimeError("%s does not answer: %s" % (self.name, sql))
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            if not part: raise RuntimeError("%s closed the connection at: %s" % (self.name, sql))
            output += part
        lines = output.decode().split("\n")[:-2]
        for line in lines:
            if line.startswith(("ERROR:  ", "FATAL:  ", "server closed", "connection to server")):
                if not line.startswith("ERROR:  "): raise RuntimeError("%s: %s at: %s" % (self.name, line, sql))
                return None, line[len("ERROR:  "):]
        return [line.split("\t") for line in lines if not line.startswith(("NOTICE:", "WARNING:", "LOCATION:"))], None
