"""A deployment over AWS as it is operated: commands, through a proxy, and viewers beside it."""

import json
import re
import shlex
import socket
import threading
from io import StringIO
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from botocore.retries.standard import ExponentialBackoff
from django.core.management import CommandError, call_command

from deployments.models import Environment
from edge.backends import get_backend
from edge.backends.aws import clients, functions, keyvalues
from edge.backends.aws.backend import aws_backend
from edge.backends.aws.clients import Patience
from edge.backends.aws.snapshot import AwsSnapshots
from edge.serving.wsgi import LocalEdge
from tests.aws import proxy as proxies
from tests.aws import stand_in
from tests.deployments.sites import write_site

SURFACES = ("/", "/book/", "/track/x", "/dashboard/")


@pytest.fixture
def viewer_url(aws, proxy):
    """Answer viewers on a port of its own, as CloudFront does whatever befalls an operator."""
    backend = get_backend()
    edge = LocalEdge(
        None,
        objects=backend.objects,
        read_snapshot=_when_changed(AwsSnapshots(backend.keyvalues, backend.functions).read, proxy),
        refresh_seconds=0,
        cache_bytes=0,
    )
    with make_server("127.0.0.1", 0, edge, _Server, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _when_changed(read, proxy):
    """Read snapshots only after something was written: these tests look very often."""
    seen = None

    def read_changed(known):
        nonlocal seen
        changes = proxy.changes
        newer = known if changes == seen else read(known)
        seen = changes
        return newer

    return read_changed


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def proxy(aws, aws_port):
    with proxies.running(aws_port) as running:
        yield running


@pytest.fixture
def impatient(monkeypatch):
    """Take the waiting out of retries; their rules stay."""
    patience = Patience(attempts=2, read_seconds=5, pause_seconds=0, retry_mode="standard")
    monkeypatch.setattr(clients, "PATIENCE", patience)
    monkeypatch.setattr(keyvalues, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(functions, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *args: 0)


@pytest.fixture
def shop(db, aws, aws_port, proxy, viewer_url, impatient, settings, monkeypatch, tmp_path):
    """Commands whose requests go through the proxy."""
    for environment in Environment.objects.all():
        environment.distributions.create(remote_id=aws.create_distribution(environment.name))
    for name, value in stand_in.environ(aws_port, proxy=proxy.port).items():
        monkeypatch.setenv(name, value)
    settings.EDGE_VIEWER_URL = viewer_url
    settings.EDGE_PROBE_SECONDS = 0
    yield Shop(tmp_path)
    aws_backend.cache_clear()


@pytest.fixture
def through_proxy(aws, aws_port, proxy, impatient, monkeypatch):
    """Give a back end whose requests go through the proxy."""
    for name, value in stand_in.environ(aws_port, proxy=proxy.port).items():
        monkeypatch.setenv(name, value)
    return aws_backend.__wrapped__(bucket=stand_in.BUCKET, key_value_store=stand_in.STORE)


@pytest.fixture
def unused_port():
    """Hold a port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


class Shop:
    """An operator at the shell."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *arguments):
        """Run a command; give what --json writes."""
        out = StringIO()
        call_command(*arguments, "--json", stdout=out)
        return json.loads(out.getvalue())

    def attempt(self, *arguments):
        """Run a command that may fail; give its exit code and message."""
        try:
            self.run(*arguments)
        except CommandError as error:
            return error.returncode, str(error)
        return 0, ""

    def push(self, mark):
        return self.run(*self.pushing(mark))["release"]

    def pushing(self, mark):
        site = write_site(self.folder / f"site-{mark}", mark=mark)
        return "push", "--source", str(site), "--message", mark

    def promote(self):
        return self.run("promote", "--yes")

    def served(self, host):
        """Name the releases that the surfaces of a host answer with."""
        fetch = get_backend().viewer.fetch
        return {fetch(host, path).headers.get("x-amz-meta-release") for path in SURFACES}


def next_command(message):
    """Take the command out of a message: what an operator would paste."""
    found = re.search(r"Run: manage\.py (.+)$", message)
    return shlex.split(found.group(1)) if found else None
