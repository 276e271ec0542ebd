import sys
import time
from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any

from django.core.management.base import CommandError

from deployments.models import Environment, Strategy
from deployments.stacks.plan import Wanted
from deployments.stacks.provision import Changes, Operator, Provisioned, Request, provision
from deployments.wording import plural
from edge.backends.aws.stacks import get_stacks
from edge.provisioning.template import PRICE_CLASSES
from qdn.console import DeployCommand, actor

USAGE = 2


class Command(DeployCommand):
    help = "Create or update an environment's AWS stack, or adopt distributions that exist."
    so_far = "No resource was changed."

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
        request = _request(options)

        def confirm(question: str) -> None:
            self._confirm(request, question, yes=options["yes"])

        operator = Operator(actor(), self.say, self._show, confirm)
        done = provision(request, operator, get_stacks)
        seconds = round(time.monotonic() - started, 2)
        self._sum_up(done, seconds)
        return {**done.as_json(), "seconds": seconds}

    def _confirm(self, request: Request, question: str, *, yes: bool) -> None:
        """Ask before a protected environment is changed, and at a terminal before any stack is."""
        at_terminal = sys.stdin is not None and sys.stdin.isatty()
        if request.environment.protected or (request.is_for_stack and at_terminal):
            self.ask(question, yes=yes, why=f"{request.environment} is protected")

    def _show(self, changes: Changes) -> None:
        rows = [[one.action, one.resource, one.type, one.replacement] for one in changes]
        self.table(["action", "resource", "type", "replacement"], rows, empty="Nothing to change")

    def _sum_up(self, done: Provisioned, seconds: float) -> None:
        for step in done.next_steps:
            self.say(f"Next: {step}")
        changes = plural(len(done.changes), "change")
        did = {
            "planned": f"would make {changes}",
            "unchanged": "nothing to do",
            "adopted": "adopted",
            "changed": "changed",
        }.get(done.did, f"{done.did}, {changes}")
        if done.strategy != done.strategy_before:
            did += f", strategy {done.strategy_before} -> {done.strategy}"
        ids = [row.remote_id for row in done.environment.distributions.all()]
        self.summarise(
            f"{done.environment}: {did}; distributions: {', '.join(ids) or 'none yet'}; {seconds} s"
        )


def _request(options: dict[str, Any]) -> Request:
    """Return the request that options make. Raises CommandError, Refused."""
    wanted = _wanted(options)
    if options["adopt"] and wanted.parameters():
        raise CommandError("--adopt changes no distribution.", returncode=USAGE)
    if options["path"] and not options["adopt"]:
        raise CommandError("--path needs --adopt.", returncode=USAGE)
    return Request(
        Environment.objects.named(options["environment"]),
        wanted,
        adopt=tuple(options["adopt"] or ()),
        paths=tuple(options["path"] or ()),
        reason=options["reason"],
        dry_run=options["dry_run"],
    )


def _wanted(options: dict[str, Any]) -> Wanted:
    """Return what was given; an empty text among the aliases removes all of them."""
    given = options["alias"]
    aliases = None if given is None else tuple(host.lower() for host in given if host)
    names = ("certificate", "application", "price_class", "hsts_subdomains", "strategy")
    return Wanted(aliases, **{name: options[name] for name in names})
