"""Change sets that CloudFormation refuses, fails to carry out, or leaves unwatched."""

import pytest

from edge.errors import BackendUnavailable
from edge.provisioning.stacks import ChangeSet, StackState
from qdn.management.commands import provision as command
from tests.deployments.stacks.command import refused, run
from tests.deployments.stacks.hosts import Ending

pytestmark = pytest.mark.usefixtures("stand_in")


@pytest.fixture
def host(monkeypatch):
    """Lead the command to another host of stacks."""
    return lambda other: monkeypatch.setattr(command, "get_stacks", lambda: other)


@pytest.mark.parametrize("error", [BackendUnavailable("no answer"), KeyboardInterrupt()])
def test_unwatched_operation_shows_the_command_that_continues(host, stacks, error):
    host(Ending(wait=error))
    code, message = refused(price_class="PriceClass_All")
    assert code == 4
    assert message.endswith(
        "Run: manage.py provision --json --environment=staging --price-class=PriceClass_All"
    )
    host(stacks)
    assert run(price_class="PriceClass_All")["did"] == "unchanged"


def test_operation_that_ended_badly_shows_the_commands_that_repair_it(host):
    host(Ending(wait=StackState("qdn-staging", "qdn-staging", "CREATE_FAILED")))
    code, message = refused()
    assert code == 4
    assert "aws cloudformation delete-stack --stack-name qdn-staging" in message
    assert message.endswith("Run: manage.py provision --json --environment=staging")


def test_refused_change_set_is_reported(host):
    class Refusing(Ending):
        def propose(self, *args, **options):
            return ChangeSet("", "", (), failure="Template format error.")

    host(Refusing())
    code, message = refused()
    assert (code, "Template format error" in message) == (1, True)
