"""The command `iam_policy`: as exact as stacks and rows allow."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deployments.stacks.policies import find_places

STORE = "arn:aws:cloudfront::123456789012:key-value-store/0a1b2c"


def run(*arguments):
    out = StringIO()
    call_command("iam_policy", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def provisioned(production, staging):
    for environment, id_ in ((staging, "E1"), (production, "E2")):
        environment.stack = {"outputs": {"KeyValueStore": STORE, "Bucket": "made"}}
        environment.save()
        environment.distributions.create(remote_id=id_)


def test_places_are_those_the_stacks_made(provisioned):
    places = find_places("")
    assert (places.bucket, places.account, places.stores) == ("made", "123456789012", ["0a1b2c"])
    assert places.distributions == ["E1", "E2"]
    assert places.functions == ["qdn-viewer-request-staging", "qdn-viewer-request-production"]


def test_setting_comes_before_the_bucket_of_a_stack(provisioned):
    assert find_places("ours").bucket == "ours"


@pytest.mark.django_db
def test_unknown_places_are_wildcards():
    places = find_places("ours")
    assert (places.account, places.stores, places.distributions) == ("*", ["*"], ["*"])


@pytest.mark.parametrize("role", ["read", "deploy", "provision", "application"])
def test_command_prints_the_policy_and_nothing_else(provisioned, role):
    policy = json.loads(run("--role", role))
    assert policy == json.loads(run("--role", role, "--json"))
    assert "arn:aws:s3:::made" in json.dumps(policy) or role == "read"


@pytest.mark.django_db
def test_policy_needs_a_bucket():
    with pytest.raises(CommandError, match="EDGE_BUCKET") as refused:
        run("--role", "deploy")
    assert refused.value.returncode == 1


@pytest.mark.django_db
def test_policy_for_provisioning_needs_no_bucket():
    assert "arn:aws:s3:::qdn-*" in run("--role", "provision")
