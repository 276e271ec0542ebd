"""CloudFormation of the AWS emulator, and who looks at it from outside."""

import boto3
import pytest

from edge.backends.aws import stacks as aws_stacks
from qdn.management.commands import provision as command


@pytest.fixture(scope="session")
def stacks(made_once):
    """CloudFormation as the command reaches it. Made once, because clients are expensive."""
    return made_once(aws_stacks.get_stacks)


@pytest.fixture
def stand_in(db, aws_environ, stacks, monkeypatch):
    """Lead the command to an empty emulator, which answers at once."""
    monkeypatch.setattr(aws_stacks, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(command, "get_stacks", lambda: stacks)


@pytest.fixture(scope="session")
def cloudformation(made_once):
    """A client outside the project, looking at stacks. Made once, because it is expensive."""
    return made_once(lambda: boto3.client("cloudformation"))


@pytest.fixture
def distribution_config(plain_boto):
    def read(id_):
        return plain_boto.cloudfront.get_distribution_config(Id=id_)["DistributionConfig"]

    return read
