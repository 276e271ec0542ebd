"""docs/examples/ is what the project needs: its commands, paths and settings exist."""

import re
import shlex
from configparser import ConfigParser

import pytest
import yaml
from django.core.management import get_commands

from tests.server.servers import ROOT

EXAMPLES = ROOT / "docs/examples"
UNITS = sorted((EXAMPLES / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((EXAMPLES / "compose.yaml").read_text())
DOCKERFILE = (EXAMPLES / "Dockerfile").read_text().replace("\\\n", " ")
LONG_RUNNING = {"web", "work", "nginx", "postgres", "redis"}
# Sources that the image does without.
NOT_IN_THE_IMAGE = {"bench", "bin", "docs", "requirements", "tests", "var"}


def unit(path):
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(path)
    return parser


def services(name):
    """Return the command of each service of the project, as text."""
    return {
        key: service["command"]
        for key, service in COMPOSE["services"].items()
        if service.get("image") == name and "command" in service
    }


def command_lines():
    yield from (unit(path)["Service"]["ExecStart"] for path in UNITS)
    yield from services("quickdumpnow").values()


@pytest.mark.parametrize("line", list(command_lines()))
def test_commands_exist(line):
    words = shlex.split(line)
    found = re.findall(r"manage\.py (\w+)", line)
    assert found or "gunicorn" in words[0]
    assert set(found) <= set(get_commands())


def test_gunicorn_gets_its_settings():
    web = unit(EXAMPLES / "systemd/quickdumpnow-web.service")["Service"]["ExecStart"]
    in_image = re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1]
    for words in (shlex.split(web), yaml.safe_load(in_image)):
        settings = words[words.index("-c") + 1]
        assert (ROOT / settings).is_file()


def test_units_wait_longer_than_gunicorn():
    (graceful,) = re.findall(
        r"^graceful_timeout = (\d+)$", (ROOT / "qdn/gunicorn.conf.py").read_text(), re.MULTILINE
    )
    web = unit(EXAMPLES / "systemd/quickdumpnow-web.service")["Service"]
    assert int(web["TimeoutStopSec"]) > int(graceful)
    assert int(COMPOSE["services"]["web"]["stop_grace_period"].removesuffix("s")) > int(graceful)


def test_timer_starts_a_unit():
    assert {path.stem for path in (EXAMPLES / "systemd").glob("*.timer")} <= {
        path.stem for path in UNITS
    }


def test_long_running_services_are_watched_and_restarted():
    found = COMPOSE["services"]
    assert set(found) - {"prepare", "backup"} == LONG_RUNNING
    for name in LONG_RUNNING:
        assert found[name]["restart"] == "unless-stopped"
    # `work` has no address to ask; its supervisor watches it.
    assert {name for name in LONG_RUNNING if "healthcheck" in found[name]} == LONG_RUNNING - {
        "work"
    }
    for name, service in found.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in found[other], f"{name} waits for {other}"


def test_volumes_are_declared():
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"]


def test_environment_has_settings_and_no_secrets():
    environment = COMPOSE["x-application"]["environment"]
    settings = (ROOT / "qdn/settings.py").read_text()
    for name in environment:
        assert f'"{name}"' in settings, name
    for name, value in environment.items() | COMPOSE["services"]["postgres"]["environment"].items():
        if "SECRET" in name or "PASSWORD" in name:
            assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), name
    assert re.search(r"://\w+:\$\{", environment["DATABASE_URL"])


def test_nginx_in_containers_finds_what_it_replaces():
    script = COMPOSE["services"]["nginx"]["command"][-1]
    example = (EXAMPLES / "nginx.conf").read_text()
    replaced = re.findall(r"-e 's(.)(.+?)\1", script)
    assert len(replaced) == script.count("-e '")
    for _, text in replaced:
        assert text in example


def test_image_has_the_locked_requirements_as_bin_setup_installs_them():
    lock = re.search(r'lock="(\S+)/\$\{1', (ROOT / "bin/setup").read_text())[1] + "/base.txt"
    assert f"COPY {lock} {lock}\n" in DOCKERFILE
    assert re.search(rf"pip install .*--require-hashes -r {re.escape(lock)}\n", DOCKERFILE)
    oldest = re.search(r'requires-python = ">=3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert int(re.search(r"^FROM python:3\.(\d+)-", DOCKERFILE, re.MULTILINE)[1]) >= int(oldest[1])


def test_image_has_all_sources_by_name():
    copied = dict(re.findall(r"^COPY (\S+) (\S+)$", DOCKERFILE, re.MULTILINE))
    folders = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith((".", "__")) and any(path.iterdir())
    }
    assert set(copied) == {"requirements/base.txt", "manage.py"} | folders - NOT_IN_THE_IMAGE
    assert {source for source, target in copied.items() if source != target} == {"manage.py"}
