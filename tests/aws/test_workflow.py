"""The workflow that the how-to shows: its own lines are run, over the stand-in for AWS."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.aws import stand_in
from tests.test_processes import ROOT, Installation

WORKFLOW = yaml.safe_load((ROOT / "docs/examples/deploy.yml").read_text())
SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def installation(tmp_path, aws, aws_port):
    found = Installation(tmp_path)
    found.environ |= stand_in.environ(aws_port) | stand_in.SETTINGS
    found.environ |= {"GITHUB_SHA": SHA, "GITHUB_REF_NAME": "v1.2.0"}
    made = [sys.executable, "-m", "tests.aws.places"]
    subprocess.run(made, cwd=ROOT, env=found.environ, check=True)
    return found


def work(installation, job):
    """Run a job's lines as GitHub's runner does; only the installation is there already."""
    lines = [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step]
    assert lines.pop(0) == "bin/setup base"
    for line in lines:
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", line],
            cwd=ROOT,
            env=installation.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            return done.returncode, done.stderr
    return 0, ""


def live(installation):
    return {row["environment"]: row["release"] for row in installation.json("status")}


def test_commit_goes_to_staging_and_its_tag_to_production(installation):
    assert work(installation, "staging") == (0, "")
    (release,) = installation.json("releases")
    assert release["message"] == f"commit {SHA[:12]}"
    assert live(installation) == {"staging": release["release"], "production": None}
    # Staging goes on meanwhile; the tag's commit is what is promoted.
    newer = installation.push("newer")
    assert work(installation, "production") == (0, "")
    assert live(installation) == {"staging": newer, "production": release["release"]}
    (promotion,) = installation.json("history", "--environment", "production")
    assert promotion["reason"] == "tag v1.2.0"


def test_tag_of_what_was_never_on_staging_promotes_nothing(installation):
    installation.push("other")
    code, message = work(installation, "production")
    assert code
    assert "push it to staging first" in message
    assert live(installation)["production"] is None


def test_no_key_of_aws_stands_in_the_workflow():
    text = Path(ROOT / "docs/examples/deploy.yml").read_text()
    assert WORKFLOW["permissions"]["id-token"] == "write"
    assert "AWS_SECRET" not in text
    assert "AWS_ACCESS_KEY" not in text


def test_jobs_wait_for_each_other():
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is False
