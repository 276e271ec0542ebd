"""Starts the stand-in for AWS in a process of its own, on a port the system picks."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 30
BUCKET, STORE = "quickdumpnow-edge", "quickdumpnow"
# What of our own settings goes with it.
SETTINGS = {
    "EDGE_BACKEND": "aws",
    "EDGE_BUCKET": BUCKET,
    "EDGE_KEY_VALUE_STORE": STORE,
    "EDGE_LOCAL_VIEWER": "true",
}


def environ(port, *, proxy=None):
    """Give the variables that lead boto3 to a stand-in, and to nothing else of this machine's.

    `proxy` is a port between client and stand-in; without one the stand-in is its own.
    """
    return {
        "AWS_ENDPOINT_URL": f"http://localhost:{port}",
        # boto3 puts the account's number in front of the endpoint's name, and a machine need not
        # resolve `000000000000.localhost`: a proxy is given the name as it is.
        "HTTP_PROXY": f"http://127.0.0.1:{proxy or port}",
        "NO_PROXY": "",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def running(port=0, *, latency_ms=0):
    """Run a stand-in, on a free port unless one is given; return its port.

    Every answer is held back for `latency_ms`, as a network would.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(1024)  # a push connects hundreds of times at once
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.aws.stand_in_server"),
                *(f"fd://{listener.fileno()}", str(latency_ms)),
            ],
            cwd=ROOT,
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        port = listener.getsockname()[1]
    try:
        _wait_until_ready(process, port)
        yield port
    finally:
        process.kill()
        process.stdin.close()
        process.wait()


def reset(port):
    """Forget everything the stand-in holds."""
    _open(port, "/_ministack/reset", method="POST")


def _wait_until_ready(process, port):
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return _open(port, "/_ministack/health")
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _open(port, path, method="GET"):
    # Past HTTP_PROXY, which a test may have set to something that fails.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    with opener.open(request, timeout=START_SECONDS) as answer:
        return answer.read()
