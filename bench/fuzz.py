"""Sends requests made at random to the web server, and counts failures and slow answers.

Run it as `.venv/bin/python -m bench.fuzz` (30,000 requests) or with `--requests 100000`,
`--seed N` and `--database postgres://...` (an empty one). The requests are those of
tests/attacks/fuzz.py: addresses and forms of our own pages with something wrong in them, sent as a
visitor, a dispatcher, an operator and a superuser. Exits with 1 if an answer was a failure (5xx or
none), or took longer than 5 seconds. The memory is that of all server processes.
"""

import argparse
import logging
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.places import set_up  # noqa: E402

CLIENTS = 4
SLOW_SECONDS, GIVE_UP_SECONDS = 5, 60
WARM_UP = 400  # requests before the first look at the memory
SHOWN = 10
SETTINGS = {
    "EDGE_PROBE_SECONDS": "0",
    "BOOKINGS_PER_ADDRESS_HOUR": "0",
    "BOOKINGS_PER_ADDRESS_DAY": "0",
    "BOOKINGS_PER_PHONE_DAY": "0",
    "SECRET_KEY": "for measurements only, and long enough for the system check to accept it",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument(
        "--database", default="", help="URL of an empty database, instead of SQLite"
    )
    options = parser.parse_args()
    os.environ.update(SETTINGS)
    logging.disable()  # this process only collects the pages' forms
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        set_up(stack, folder, "local", options.database)
        attack = Attack(options.seed, folder)
        server = stack.enter_context(Server.running(folder))
        print(f"Seed {options.seed}, {options.requests:,} requests", flush=True)
        attack.run(server, options.requests)
        return attack.report(server)


class Server:
    """gunicorn as in production, and the log of what it says."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.port, self.process, self.log = port, process, log

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator["Server"]:
        log = folder / "server.log"
        with socket.socket() as listener, log.open("wb") as output:
            listener.bind(("127.0.0.1", 0))
            listener.listen(128)
            environ = {**os.environ, "DEBUG": "false"}
            collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v", "0"]
            subprocess.run(collect, cwd=ROOT, env=environ, check=True)
            command = [
                sys.executable, "-m", "gunicorn", "qdn.wsgi", "--bind", f"fd://{listener.fileno()}",
                "--worker-class", "gthread", "--workers", "2", "--threads", "4",
                "--log-level", "error",
            ]  # fmt: skip
            process = subprocess.Popen(
                command, cwd=ROOT, env=environ, stderr=output, pass_fds=(listener.fileno(),)
            )
            try:
                yield cls(listener.getsockname()[1], process, log)
            finally:
                process.terminate()
                process.wait(timeout=30)

    def memory(self) -> float:
        """Return the resident memory of all processes in MB."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        pids = [str(self.process.pid), *children.split()]
        return sum(map(_resident, pids))


def _resident(pid: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (resident,) = [line.split()[1] for line in lines if line.startswith("VmRSS")]
    return int(resident) / 1024


class Attack:
    """The clients, and what they found."""

    def __init__(self, seed: int, folder: Path) -> None:
        from django.core.wsgi import get_wsgi_application  # noqa: PLC0415 - needs set_up

        from edge.backends import get_backend  # noqa: PLC0415
        from edge.local_edge import in_front_of  # noqa: PLC0415
        from tests.attacks import world  # noqa: PLC0415
        from tests.attacks.fuzz import Fuzzer, find_targets  # noqa: PLC0415

        users = world.make_all(get_backend(), folder / "sites")
        targets = find_targets(in_front_of(get_wsgi_application()), users["superuser"])
        self._fuzzers = [Fuzzer(seed * CLIENTS + number, targets) for number in range(CLIENTS)]
        self._lock = threading.Lock()
        self.statuses: Counter[int] = Counter()
        self.faults: list[str] = []
        self.slowest = 0.0
        self.memory: list[float] = []
        self.log_in()

    def log_in(self) -> None:
        """Give each role a session, and its user back if a form changed or deleted it."""
        from tests.attacks import world  # noqa: PLC0415
        from tests.attacks.asking import session_of  # noqa: PLC0415

        sessions = {role: session_of(user) for role, user in world.make_users().items()}
        for fuzzer in self._fuzzers:
            fuzzer.sessions.update(sessions)

    def run(self, server: Server, requests: int) -> None:
        """Send the requests in four parts, and note the memory before, between and after them."""
        self._send_all(server, WARM_UP)
        self.memory.append(server.memory())
        for _ in range(4):
            self._send_all(server, requests // 4)
            self.memory.append(server.memory())

    def _send_all(self, server: Server, requests: int) -> None:
        work = [
            threading.Thread(target=self._send, args=(server, fuzzer, requests // CLIENTS))
            for fuzzer in self._fuzzers
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()

    def _send(self, server: Server, fuzzer, requests: int) -> None:
        from django.db import connection  # noqa: PLC0415

        for request in fuzzer.requests(requests):
            started = time.monotonic()
            try:
                answer = _exchange(server.port, _raw(request))
            except (OSError, HTTPException) as error:
                answer = None
                self.faults.append(f"{type(error).__name__} for {request}")
            self._note(request, answer, time.monotonic() - started)
        connection.close()

    def _note(self, request, answer, seconds: float) -> None:
        from tests.attacks.fuzz import fault_in, is_login  # noqa: PLC0415

        with self._lock:
            self.slowest = max(self.slowest, seconds)
            if seconds > SLOW_SECONDS:
                self.faults.append(f"{seconds:.1f} s for {request}")
            if answer:
                self.statuses[answer.status] += 1
                self.faults += filter(None, [fault_in(request, answer)])
                if request.role != "anonymous" and is_login(answer):
                    self.log_in()

    def report(self, server: Server) -> int:
        print("answers   ", dict(sorted(self.statuses.items())))
        print(f"slowest    {self.slowest:.2f} s")
        print("memory, MB", " ".join(f"{one:.0f}" for one in self.memory), "(start, quarters, end)")
        print("faults    ", len(self.faults))
        for fault in self.faults[:SHOWN]:
            print(f"  {fault}")
        if self.faults:
            print(server.log.read_text(errors="replace")[-4_000:])
        return bool(self.faults)


def _raw(request) -> bytes:
    lines: list[str] = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    lines += [f"Content-Length: {len(request.body)}", "Connection: close", "", ""]
    body: bytes = request.body
    return "\r\n".join(lines).encode("latin-1", "replace") + body


def _exchange(port: int, raw: bytes):
    """Send a request over a connection of its own; return the answer."""
    from tests.attacks.asking import Answer  # noqa: PLC0415

    with socket.create_connection(("127.0.0.1", port), timeout=GIVE_UP_SECONDS) as server:
        server.sendall(raw)
        response = HTTPResponse(server, method=raw.split(b" ", 1)[0].decode("latin-1"))
        response.begin()
        return Answer(response.status, response.getheaders(), response.read())


if __name__ == "__main__":
    sys.exit(main())
