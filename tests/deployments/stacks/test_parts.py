"""The iam_policy command: exact where the stacks tell, and no more than it knows."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deployments.stacks.parts import places_of

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


def test_places_are_what_the_stacks_made(provisioned):
    places = places_of("")
    assert (places.bucket, places.account, places.stores) == ("made", "123456789012", ["0a1b2c"])
    assert places.distributions == ["E1", "E2"]
    assert places.functions == ["qdn-viewer-request-staging", "qdn-viewer-request-production"]


def test_the_setting_comes_before_what_a_stack_made(provisioned):
    assert places_of("ours").bucket == "ours"


@pytest.mark.django_db
def test_without_stacks_nothing_is_guessed():
    places = places_of("ours")
    assert (places.account, places.stores, places.distributions) == ("*", ["*"], ["*"])


@pytest.mark.parametrize("role", ["read", "deploy", "provision", "application"])
def test_command_prints_the_policy_and_nothing_else(provisioned, role):
    policy = json.loads(run("--role", role))
    assert policy == json.loads(run("--role", role, "--json"))
    assert "arn:aws:s3:::made" in json.dumps(policy) or role == "read"


@pytest.mark.django_db
def test_no_bucket_no_policy():
    with pytest.raises(CommandError, match="EDGE_BUCKET") as refused:
        run("--role", "deploy")
    assert refused.value.returncode == 1


@pytest.mark.django_db
def test_before_anything_is_there_the_policy_for_provisioning_can_be_had():
    assert "arn:aws:s3:::qdn-*" in run("--role", "provision")
