"""`provision --strategy`: what it changes and refuses, and the steps after it."""

import shlex
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deployments.locks.deploy_lock import deploy_lock
from deployments.models import Distribution, Strategy
from edge.provisioning.stacks import FoundDistribution
from qdn.management.commands import provision as command
from tests.deployments.deploy.test_copy import served_content
from tests.deployments.stacks import command as command_runs

ID = "E1EXAMPLE"


class Account:
    """AWS with one distribution; nothing else should be asked for."""

    def distribution(self, distribution):
        return FoundDistribution(
            id=distribution,
            domain="d1.cloudfront.net",
            aliases=("www.example.com",),
            origins=(("*", "pages.s3.us-west-2.amazonaws.com"),),
        )


@pytest.fixture(autouse=True)
def account(monkeypatch):
    monkeypatch.setattr(command, "get_stacks", Account)


@pytest.fixture
def stack(production):
    """Give production a stack that was made for it."""
    production.stack = {"name": "qdn-production", "outputs": {"DistributionId": ID}}
    production.save()
    Distribution.objects.create(environment=production, remote_id=ID)


def run(**options):
    return command_runs.run("production", **{"yes": True, **options})


def refused(**options):
    return command_runs.refused("production", **{"yes": True, **options})


def strategy_of(environment):
    environment.refresh_from_db()
    return environment.strategy


def test_strategy_is_set_with_the_adoption(production):
    answer = run(adopt=[ID], strategy="copy")
    assert answer["did"] == "adopted"
    assert (answer["strategy_before"], answer["strategy"]) == ("pointer", "copy")
    assert strategy_of(production) == Strategy.COPY


def test_adopting_again_keeps_the_strategy(production):
    run(adopt=[ID], strategy="copy")
    assert run(adopt=[ID])["strategy"] == "copy"
    assert strategy_of(production) == Strategy.COPY


def test_strategy_alone_leaves_aws_alone(production):
    answer = run(strategy="copy")
    assert (answer["did"], answer["stack"], answer["distributions"]) == ("changed", None, [])
    assert strategy_of(production) == Strategy.COPY
    assert run(strategy="copy")["did"] == "unchanged"


def test_dry_run_shows_it_and_changes_nothing(production):
    out = StringIO()
    options = {"environment": "production", "dry_run": True, "stdout": out}
    call_command("provision", strategy="copy", **options)
    call_command("provision", strategy="copy", adopt=[ID], **options)
    assert out.getvalue().count("production: strategy pointer -> copy") == 2
    assert out.getvalue().count("would make 0 changes, strategy pointer -> copy") == 2
    assert run(strategy="copy", dry_run=True)["strategy"] == "copy"
    assert strategy_of(production) == Strategy.POINTER


# The next steps


def test_steps_to_copy_before_anything_is_live(production):
    steps = run(adopt=[ID], strategy="copy")["next"][1:]  # after the settings
    assert steps == [
        "manage.py promote --to production",
        f"in {ID}: set the origin path of the pages' origin to /live/production, then repeat that",
        'manage.py invalidate "/*" --environment production --yes',
    ]


def test_only_step_on_one_machine_can_be_run(operator, production):
    release = operator.push("A")
    operator.promote()
    for strategy, path in (("copy", "live/production/"), ("pointer", "")):
        steps = run(strategy=strategy)["next"]
        assert steps == [f"manage.py promote --release {release} --to production --yes"]
        assert run(strategy=strategy)["next"] == steps  # until it is done
        call_command(*shlex.split(steps[0])[1:], stdout=StringIO())
        assert run(strategy=strategy)["next"] == []
        assert operator.backend.origins.prefix("localhost") == path
        assert "<title>A" in served_content(operator)


def test_steps_back_to_the_function(operator, production):
    release = operator.push("A")
    production.strategy = Strategy.COPY
    production.save()
    operator.promote()
    Distribution.objects.create(environment=production, remote_id=ID)
    function = "qdn-viewer-request-production"
    assert run(strategy="pointer")["next"] == [
        f"in {ID}: remove the origin path, associate {function} with viewer requests",
        f"manage.py promote --release {release} --to production --yes",
        'manage.py invalidate "/*" --environment production --yes',
    ]


# Refusals


@pytest.mark.parametrize("options", [{}, {"adopt": ["E2"]}], ids=["alone", "adopting another"])
def test_copy_is_refused_for_a_stack(production, stack, options):
    code, message = refused(strategy="copy", **options)
    assert (code, "runs the edge function" in message) == (1, True)
    assert "--strategy pointer" in message
    assert strategy_of(production) == Strategy.POINTER
    assert Distribution.objects.count() == 1


def test_stack_is_refused_for_copy(production):
    assert refused(strategy="copy", price_class="PriceClass_All")[0] == 1
    run(strategy="copy")
    code, message = refused()
    assert (code, "manage.py provision --environment production --strategy pointer" in message) == (
        1,
        True,
    )


def test_production_needs_a_confirmation(production):
    code, message = refused(strategy="copy", yes=False)
    assert (code, "--yes" in message) == (1, True)
    assert strategy_of(production) == Strategy.POINTER


def test_strategy_is_not_changed_during_a_deployment(production):
    with deploy_lock(environment=production, actor="otto", reason="Promotion"):
        code, message = refused(adopt=[ID], strategy="copy")
    assert (code, "is locked by otto" in message) == (3, True)
    assert strategy_of(production) == Strategy.POINTER
    assert not Distribution.objects.exists()


def test_unknown_strategy_is_a_usage_error():
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("provision", "--environment", "production", "--strategy", "magic")
