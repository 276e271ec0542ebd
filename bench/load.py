"""Requests one path as fast as a server answers, with wrk if it is installed, or else Python."""

import re
import shutil
import socket
import subprocess
import time
from multiprocessing import Pool

CONNECTIONS = 8


def requests_per_second(
    *, port: int, path: str, host: str, headers: dict[str, str], seconds: float
) -> float:
    """Load a server over persistent connections; return the requests per second."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return _with_python(port, path, {"Host": host, **headers}, seconds)
    lines = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    url = f"http://127.0.0.1:{port}{path}"
    output = subprocess.run(
        [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "-H", f"Host: {host}", *lines, url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if "Non-2xx" in output:
        raise SystemExit(f"The server answered with errors:\n{output}")
    found = re.search(r"Requests/sec:\s*([\d.]+)", output)
    assert found, output
    return float(found[1])


def _with_python(port: int, path: str, headers: dict[str, str], seconds: float) -> float:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()
    with Pool(CONNECTIONS) as pool:
        counts = pool.starmap(_connection, [(port, request, seconds)] * CONNECTIONS)
    return sum(counts) / seconds


def _connection(port: int, request: bytes, seconds: float) -> int:
    """Return the number of answers on one connection, reopened when the server closes it."""
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.create_connection(("127.0.0.1", port)) as server, server.makefile("rb") as file:
            while time.monotonic() < end:
                server.sendall(request)
                if not _read_answer(file):
                    break
                count += 1
    return count


def _read_answer(file) -> bool:
    status = file.readline()
    if not status:
        return False
    assert b" 200 " in status, status
    length = 0
    while (line := file.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return len(file.read(length)) == length
