import sys
import time
from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from deployments.models import Environment, Strategy
from deployments.stacks.adopt import adopt, plan_adoption
from deployments.stacks.plan import StackPlan, Wanted, plan_stack
from deployments.stacks.provision import change_strategy, check_strategy, provision, record
from edge.backends.aws.stacks import get_stacks
from edge.provisioning.stacks import Change, StackHost
from edge.provisioning.template import PRICE_CLASSES
from qdn.console import DeployCommand, actor
from qdn.stack_steps import next_steps, strategy_steps

USAGE = 2


class Command(DeployCommand):
    help = "Create or update an environment's AWS stack, or adopt distributions that exist."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", required=True)
        parser.add_argument("--alias", action="append", metavar="HOST")
        parser.add_argument("--certificate", metavar="ARN")
        parser.add_argument("--application", metavar="HOST")
        parser.add_argument("--price-class", choices=PRICE_CLASSES)
        parser.add_argument("--hsts-subdomains", action=BooleanOptionalAction, default=None)
        parser.add_argument("--adopt", action="append", metavar="ID")
        parser.add_argument("--path", action="append", metavar="PATTERN")
        parser.add_argument("--strategy", choices=Strategy.values)
        parser.add_argument("--reason", default="", help="kept with the change set")

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        wanted = _wanted(options)
        if options["adopt"] and wanted.parameters():
            raise CommandError("--adopt changes no distribution.", returncode=USAGE)
        if options["path"] and not options["adopt"]:
            raise CommandError("--path goes with --adopt.", returncode=USAGE)
        environment = Environment.objects.named(options["environment"])
        known, before = set(environment.hosts), environment.strategy
        alone = bool(wanted.strategy) and not (options["adopt"] or wanted.parameters())
        makes_stack = not (alone or options["adopt"])
        check_strategy(environment, wanted.strategy or before, makes_stack=makes_stack)
        if wanted.strategy:
            self.say(f"{environment}: strategy {_change(before, wanted.strategy)}")
        changes: tuple[Change, ...] = ()
        if alone:
            did = self._change_strategy(environment, options)
        elif options["adopt"]:
            did = self._adopt(get_stacks(), environment, options)
        else:
            did, changes = self._provision(get_stacks(), environment, wanted, options)
        steps = strategy_steps(environment) if alone else next_steps(environment, known=known)
        result = _result(environment, did, changes, [] if did == "planned" else list(steps))
        result |= {"strategy": wanted.strategy or before, "strategy_before": before}
        result["seconds"] = round(time.monotonic() - started, 2)
        self._sum_up(result)
        return result

    def _provision(
        self,
        stacks: StackHost,
        environment: Environment,
        wanted: Wanted,
        options: dict[str, Any],
    ) -> tuple[str, tuple[Change, ...]]:
        """Bring the stack up to date; tell what was done, and the changes."""
        plan = plan_stack(
            stacks,
            environment,
            wanted,
            bucket=settings.EDGE_BUCKET,
            store=settings.EDGE_KEY_VALUE_STORE,
        )
        self.say(f"{environment}: stack {plan.stack}, {_status(plan)}")
        changes: tuple[Change, ...] = ()

        def agree(proposed: tuple[Change, ...]) -> bool:
            nonlocal changes
            changes = proposed
            self._show(changes)
            if options["dry_run"]:
                return False
            self._ask(plan, yes=options["yes"])
            self.say(f"{'Create' if plan.is_new else 'Update'} {plan.stack}: this takes minutes")
            return True

        if options["dry_run"] and plan.is_new:
            agree(plan.first_changes())
            return "planned", changes
        self.so_far = "No resource was changed."
        state = provision(
            stacks, plan, agree=agree, actor=actor(), reason=options["reason"], say=self.say
        )
        if state is None:
            return "planned", changes
        if not options["dry_run"]:
            # Without a change too: a run before this one may have been interrupted.
            record(environment, state)
            change_strategy(environment, wanted.strategy, actor=actor())
        if not changes:
            return "unchanged", changes
        return ("created" if plan.is_new else "updated"), changes

    def _ask(self, plan: StackPlan, *, yes: bool) -> None:
        """Ask whoever is at a terminal; without one only what is protected needs --yes."""
        if plan.environment.protected or sys.stdin.isatty():
            why = f"{plan.environment} is protected"
            self.ask(f"Change the stack {plan.stack}?", yes=yes, why=why)

    def _adopt(self, stacks: StackHost, environment: Environment, options: dict[str, Any]) -> str:
        adoptions = plan_adoption(
            stacks,
            environment,
            options["adopt"],
            paths=options["path"] or (),
            bucket=settings.EDGE_BUCKET,
        )
        for item in adoptions:
            hosts = ", ".join((item.found.domain, *item.found.aliases))
            self.say(f"{item.found.id}: {hosts}: {' '.join(item.paths)}")
        if options["dry_run"]:
            return "planned"
        self.confirm(environment, f"Adopt for {environment}?", yes=options["yes"])
        change_strategy(environment, options["strategy"], actor=actor())
        adopt(environment, adoptions)
        return "adopted"

    def _change_strategy(self, environment: Environment, options: dict[str, Any]) -> str:
        """Change the strategy and nothing else; AWS is not asked. Tell what was done."""
        if environment.strategy == options["strategy"]:
            return "unchanged"
        if options["dry_run"]:
            return "planned"
        question = f"Deploy to {environment} by {options['strategy']} from now on?"
        self.confirm(environment, question, yes=options["yes"])
        change_strategy(environment, options["strategy"], actor=actor())
        return "changed"

    def _show(self, changes: tuple[Change, ...]) -> None:
        self.table(
            ["action", "resource", "type", "replacement"],
            [[item.action, item.resource, item.type, item.replacement] for item in changes],
            empty="Nothing to change",
        )

    def _sum_up(self, result: dict[str, Any]) -> None:
        for step in result["next"]:
            self.say(f"Next: {step}")
        count = len(result["changes"])
        changes = f"{count} change{'' if count == 1 else 's'}"
        did = {
            "planned": f"would make {changes}",
            "unchanged": "nothing to do",
            "adopted": "adopted",
            "changed": "changed",
        }.get(result["did"], f"{result['did']}, {changes}")
        if result["strategy"] != result["strategy_before"]:
            did += f", strategy {_change(result['strategy_before'], result['strategy'])}"
        ids = ", ".join(item["id"] for item in result["distributions"]) or "none yet"
        self.summarise(
            f"{result['environment']}: {did}; distributions: {ids}; {result['seconds']} s"
        )


def _wanted(options: dict[str, Any]) -> Wanted:
    """Read what was asked for; an empty text among the aliases takes them all away."""
    given = options["alias"]
    return Wanted(
        aliases=None if given is None else tuple(host.lower() for host in given if host),
        certificate=options["certificate"],
        application=options["application"],
        price_class=options["price_class"],
        hsts_subdomains=options["hsts_subdomains"],
        strategy=options["strategy"],
    )


def _change(before: str, after: str) -> str:
    return f"{after}, as before" if before == after else f"{before} -> {after}"


def _status(plan: StackPlan) -> str:
    return "new" if plan.is_new or plan.state is None else plan.state.status


def _result(
    environment: Environment, did: str, changes: tuple[Change, ...], steps: list[str]
) -> dict[str, Any]:
    rows = environment.distributions.all()
    return {
        "environment": environment.name,
        "did": did,
        "stack": environment.stack.get("name"),
        "changes": [
            {
                "action": item.action,
                "resource": item.resource,
                "type": item.type,
                "replacement": item.replacement,
            }
            for item in changes
        ],
        "outputs": environment.stack.get("outputs", {}),
        "distributions": [
            {"id": row.remote_id, "domain": row.domain, "paths": row.paths} for row in rows
        ],
        "hosts": environment.hosts,
        "next": steps,
    }
