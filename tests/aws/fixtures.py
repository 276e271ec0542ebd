"""Fixtures that any test may ask for: the stand-in for AWS, and the aws back end over it."""

import pytest

from tests.aws import stand_in
from tests.aws.plain import PlainBoto


@pytest.fixture(scope="session")
def aws_port():
    """Run one stand-in for this test process."""
    with stand_in.running() as port:
        yield port


@pytest.fixture(scope="session")
def made_once(aws_port):
    """Make something that is dear, and led to the stand-in, for this whole test process.

    The variables are set while it is made and no longer: other tests must not see them.
    """

    def make(maker):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in stand_in.environ(aws_port).items():
                patch.setenv(name, value)
            return maker()

    return make


@pytest.fixture(scope="session")
def plain_boto(made_once):
    """AWS as somebody outside the project sees it."""
    return made_once(PlainBoto)


@pytest.fixture
def aws_environ(aws_port, monkeypatch):
    """Lead boto3 to an empty stand-in."""
    stand_in.reset(aws_port)
    for name, value in stand_in.environ(aws_port).items():
        monkeypatch.setenv(name, value)
    return aws_port


@pytest.fixture
def aws(aws_environ, plain_boto, settings):
    """Use the aws back end over the stand-in, with its bucket and store made by plain boto3."""
    for name, value in stand_in.SETTINGS.items():
        setattr(settings, name, value)
    plain_boto.create_places()
    return plain_boto
