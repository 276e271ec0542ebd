"""Plans of stacks over others that are older, busy or broken."""

from dataclasses import replace

import pytest

from deployments.errors import ChangedMeanwhile, Refused
from deployments.models import Environment
from deployments.stacks.plan import Wanted, plan_stack
from edge.provisioning.stacks import StackState
from tests.deployments.stacks.command import run
from tests.deployments.stacks.hosts import Ending

pytestmark = pytest.mark.usefixtures("stand_in")


class Older(Ending):
    """Stacks of a template that did not have the bucket's domain as output yet."""

    def state(self, name):
        state = self._real.state(name)
        if state is None:
            return None
        older = {key: text for key, text in state.outputs.items() if key != "BucketDomain"}
        return replace(state, outputs=older)


def test_stack_that_lacks_outputs_is_to_be_updated_first(production):
    run()
    Environment.objects.update(stack={})
    with pytest.raises(Refused) as failed:
        plan_stack(Older(), production, Wanted(), bucket="", store="quickdumpnow")
    assert "BucketDomain" in failed.value.message
    assert failed.value.hint.endswith("manage.py provision --environment staging")


def test_part_shared_later_is_taken_with_the_next_update(production):
    outputs = run()["outputs"]
    run(environment="production", yes=True)

    class Before(Ending):
        def state(self, name):
            state = self._real.state(name)
            kept = {key: text for key, text in state.parameters.items() if key != "BucketDomain"}
            return replace(state, parameters=kept)

    plan = plan_stack(Before(), production, Wanted(), bucket="", store="quickdumpnow")
    assert plan.parameters["BucketDomain"] == outputs["BucketDomain"]
    assert plan.parameters["Bucket"] is None


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        ("UPDATE_IN_PROGRESS", "stack-busy", "when that is done"),
        ("UPDATE_ROLLBACK_FAILED", "stack-broken", "continue-update-rollback"),
        ("DELETE_FAILED", "stack-broken", "delete-stack"),
    ],
)
def test_a_stack_that_is_busy_or_broken_is_left_alone(staging, status, code, hint):
    host = Ending(state=StackState("qdn-staging", "id", status))
    with pytest.raises((ChangedMeanwhile, Refused)) as failed:
        plan_stack(host, staging, Wanted(), bucket="", store="quickdumpnow")
    assert failed.value.code == code
    assert hint in failed.value.hint
