"""No web server starts with unsafe settings; commands do, on a clean checkout without settings."""

import os
import re
import secrets
import subprocess
import sys

import pytest

from edge.behaviours import STRICT_TRANSPORT
from tests.test_processes import ROOT, Installation

UNSET = ("SECRET_KEY", "DEBUG", "SITE_URL", "ALLOWED_HOSTS", "DATABASE_URL", "DATA_DIR",
         "TRUSTED_PROXIES", "REDIS_URL")  # fmt: skip
SERVERS = {
    "runserver": (["manage.py", "runserver", "127.0.0.1:0"], 1),
    "gunicorn": (["-m", "gunicorn", "qdn.wsgi", "--bind", "127.0.0.1:0"], 3),
}
UNSAFE = {
    "public key": ({}, "Set SECRET_KEY"),
    "debug on https": ({"DEBUG": "true", "SITE_URL": "https://localhost"}, "Set DEBUG=false"),
    "debug on a host": ({"DEBUG": "true", "SITE_URL": "http://example.com"}, "Set DEBUG=false"),
}


def run(folder, arguments, **variables):
    """Run Python in the project with these settings and no others; return the process."""
    inherited = {name: value for name, value in os.environ.items() if name not in UNSET}
    return subprocess.run(
        [sys.executable, *arguments],
        env={**inherited, "DATA_DIR": str(folder), **variables},
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("unsafe", UNSAFE)
@pytest.mark.parametrize("server", SERVERS)
def test_web_server_refuses_in_one_line(tmp_path, server, unsafe):
    (arguments, code), (variables, next_step) = SERVERS[server], UNSAFE[unsafe]
    done = run(tmp_path, arguments, **variables)
    assert done.returncode == code
    # The lines of gunicorn itself begin with a bracket.
    (line,) = [one for one in done.stderr.splitlines() if not one.startswith("[")]
    assert "no web server starts" in line
    assert next_step in line


@pytest.mark.parametrize("unsafe", UNSAFE)
def test_check_says_it_as_well(tmp_path, unsafe):
    variables, next_step = UNSAFE[unsafe]
    check = ["manage.py", "check", "--fail-level", "WARNING"]
    done = run(tmp_path, check, **variables)
    assert (done.returncode, next_step in done.stderr) == (1, True)


def test_commands_need_no_settings(tmp_path):
    """Installation sets none but its folder."""
    installation = Installation(tmp_path)
    assert {"DEBUG", "SECRET_KEY"}.isdisjoint(installation.environ)
    release = installation.json("push")["release"]
    assert installation.json("promote", "--yes")["release"] == release
    assert installation.manage("createsuperuser", "--help").returncode == 0


def documented():
    """Return the settings that the how-to sets in production."""
    page = (ROOT / "docs/how-to/run-in-production.md").read_text()
    found = dict(re.findall(r"^ +([A-Z_]+)=(\S.*)$", page, re.MULTILINE))
    assert {"DEBUG", "SECRET_KEY", "SITE_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES"} <= set(found)
    del found["DATA_DIR"]
    return {**found, "SECRET_KEY": secrets.token_urlsafe(50)}


def test_documented_production_settings_leave_nothing_to_do(tmp_path):
    (tmp_path / "static/staticfiles.json").write_text("")  # as after collectstatic
    check = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = run(tmp_path, check, **documented())
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize("name", ["DEBUG", "SECRET_KEY", "SITE_URL", "TRUSTED_PROXIES"])
def test_check_misses_each_of_them(tmp_path, name):
    unsafe = {**documented(), name: {"DEBUG": "true", "SITE_URL": "http://example.com"}.get(name)}
    variables = {key: value for key, value in unsafe.items() if value}
    check = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    assert run(tmp_path, check, **variables).returncode == 1


@pytest.mark.parametrize(("site", "sent"), [("https://example.com", True), ("http://x", False)])
def test_django_sends_the_edges_strict_transport_header(tmp_path, site, sent):
    program = (
        "import django; django.setup(); from django.test import Client; "
        "answer = Client().get('/api/board', secure=True, HTTP_HOST='localhost'); "
        "print(answer.headers.get('Strict-Transport-Security'))"
    )
    variables = {"SECRET_KEY": "x" * 50, "SITE_URL": site, "DJANGO_SETTINGS_MODULE": "qdn.settings"}
    done = run(tmp_path, ["-c", program], **variables)
    assert done.stdout.strip() == (STRICT_TRANSPORT[1] if sent else "None"), done.stderr


def test_demo_is_refused_where_a_secret_key_is_set(tmp_path):
    """bin/demo turns DEBUG on, in production too."""
    done = run(tmp_path, ["manage.py", "demo"], DEBUG="true", SECRET_KEY="x" * 50)
    assert done.returncode == 1
    assert "without SECRET_KEY" in done.stderr
