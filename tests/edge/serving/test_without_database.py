"""A web process that starts while its database is away serves what was live before."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edge.builders import PAGE, RELEASE
from tests.edge.functions.cases import TOKEN
from tests.migrated import put_database

ROOT = Path(__file__).resolve().parents[3]
PREPARE = """
import django; django.setup()
from edge.backends import get_backend
from edge.routing import RoutingDocument
backend = get_backend()
for key, body in {objects!r}.items():
    backend.objects.put(key, body, content_type="text/html", cache_control="public, max-age=5")
document = RoutingDocument(environment="production", release={release!r}).to_json()
backend.keyvalues.update(puts={{"host:localhost": document}}, if_match=backend.keyvalues.etag())
"""
# What a worker of a web server does: import the application, then answer.
ASK = """
import json, sys
from wsgiref.util import setup_testing_defaults
from qdn.wsgi import application
from edge.local_edge import snapshot_health

def ask(path):
    seen = []
    environ = {"RAW_URI": path, "PATH_INFO": path, "HTTP_HOST": "localhost"}
    setup_testing_defaults(environ)
    body = application(environ, lambda status, headers: seen.append(status[:3]))
    text = b"".join(body).decode()
    health = snapshot_health(environ)
    return seen[0], text, health and [health.is_from_disk, health.is_empty]

print(json.dumps([ask(path) for path in sys.argv[1:]]))
"""
JOB = f"jobs/{hashlib.sha256(TOKEN.encode()).hexdigest()}.json"
OBJECTS = {f"releases/{RELEASE}/track/index.html": PAGE, JOB: b"{}"}
PATHS = (f"/track/{TOKEN}", f"/track/{TOKEN}.json", "/healthz")
AWAY = "postgres://nobody@127.0.0.1:1/none"  # nothing listens there


@pytest.fixture(scope="module")
def environ(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    environ = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | {
        "DATA_DIR": str(folder), "EDGE_BACKEND": "local", "DJANGO_SETTINGS_MODULE": "qdn.settings",
    }  # fmt: skip
    put_database(folder)
    program = PREPARE.format(objects=OBJECTS, release=RELEASE)
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environ, check=True)
    return environ


def ask(environ, *paths):
    command = [sys.executable, "-c", ASK, *paths]
    done = subprocess.run(command, cwd=ROOT, env=environ, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def test_process_without_database(environ):
    unknown = ask(environ | {"DATABASE_URL": AWAY}, *PATHS)
    assert [answer[0] for answer in unknown] == ["503", "503", "200"]
    assert unknown[2][2] == [False, True]
    before = ask(environ, *PATHS)
    assert [answer[:2] for answer in before] == [
        ["200", PAGE.decode()], ["200", "{}"], ["200", before[2][1]],
    ]  # fmt: skip
    assert before[2][2] == [False, False]
    without = ask(environ | {"DATABASE_URL": AWAY}, *PATHS)
    assert [answer[:2] for answer in without] == [answer[:2] for answer in before]
    assert without[2][2] == [True, False]
