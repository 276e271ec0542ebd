"""bin/aws-local, as somebody at the shell meets it."""

import os
import signal
import subprocess
import sys
import time

import boto3
import pytest

from tests.aws.stand_in import BUCKET, ROOT, SETTINGS


@pytest.fixture
def started():
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.aws.local", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def exported(process):
    """Read the lines it prints until the last one."""
    lines = iter(process.stdout.readline, "")
    found = {}
    for line in lines:
        if line.startswith("#"):
            return found
        name, _, value = line.removeprefix("export ").strip().partition("=")
        found[name] = value.strip("'")
    return None


def test_variables_lead_to_a_bucket_and_a_store(started, monkeypatch):
    variables = exported(started)
    assert variables.items() >= SETTINGS.items()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert boto3.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    stores = boto3.client("cloudfront").list_key_value_stores()["KeyValueStoreList"]["Items"]
    assert [store["Name"] for store in stores] == [SETTINGS["EDGE_KEY_VALUE_STORE"]]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_stays_behind(started, stop):
    assert exported(started)
    server = children(started.pid)
    assert server
    started.send_signal(stop)
    started.wait(10)
    deadline = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{pid}") for pid in server):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().split()
