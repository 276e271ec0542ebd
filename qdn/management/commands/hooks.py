from argparse import ArgumentParser
from typing import Any

from deployments.errors import Refused
from deployments.hooks.keep import add_hook, check_target, remove_hook, try_hook
from deployments.models import Environment, Hook
from edge.backends import get_backend
from qdn.console import OperatorCommand, actor


class Command(OperatorCommand):
    help = "List, add, remove or try the hooks that deployments to an environment call."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["list", "add", "remove", "test"], metavar="ACTION")
        parser.add_argument("number", nargs="?", type=int, metavar="HOOK")
        parser.add_argument("--environment")
        parser.add_argument("--moment", choices=Hook.Moment.values)
        target = parser.add_mutually_exclusive_group()
        target.add_argument("--command", help="run this; it gets the event on standard input")
        target.add_argument("--url", help="send the event to this https address, signed")

    def run(self, **options: Any) -> Any:
        action = {"list": self._list, "add": self._add, "remove": self._remove, "test": self._test}
        return action[options["action"]](**options)

    def fault(self, result: Any) -> str:
        failed = isinstance(result, dict) and result.get("ok") is False
        return f"The hook failed: {result['detail']}" if failed else ""

    def _list(self, **options: Any) -> list[dict[str, Any]]:
        hooks = Hook.objects.select_related("environment")
        if options["environment"]:
            hooks = hooks.filter(environment=Environment.objects.named(options["environment"]))
        found = [self._with_last(hook) for hook in hooks]
        columns = ("hook", "environment", "moment", "target", "active", "last")
        rows = [[one[column] for column in columns] for one in found]
        self.table([column.capitalize() for column in columns], rows, empty="There are no hooks.")
        return found

    def _with_last(self, hook: Hook) -> dict[str, Any]:
        last = hook.runs.exclude(status="waiting").last()
        return {**hook.as_json(), "last": f"{last.status}: {last.detail}" if last else "not called"}

    def _add(self, **options: Any) -> dict[str, Any]:
        kind = Hook.Kind.COMMAND if options["command"] is not None else Hook.Kind.ADDRESS
        target = options["command"] if options["command"] is not None else options["url"]
        if not options["environment"] or not options["moment"] or target is None:
            raise Refused(
                "hook-incomplete",
                "A new hook needs an environment, a moment and a target.",
                "Add --environment, --moment, and --command or --url.",
            )
        environment = Environment.objects.named(options["environment"])
        wanted: dict[str, Any] = {"moment": options["moment"], "kind": kind, "target": target}
        if options["dry_run"]:
            check_target(kind, target)
            self.summarise(f"Would add a hook to {environment}")
            return {"hook": None, "environment": environment.name, **wanted}
        hook = add_hook(environment=environment, actor=actor(), **wanted)
        self.summarise(f"{environment} calls {hook} {hook.moment}")
        if hook.secret:
            self.say(f"Secret of its signatures, shown only now: {hook.secret}")
        return {**hook.as_json(), "secret": hook.secret or None}

    def _remove(self, **options: Any) -> dict[str, Any]:
        hook = self._named(options)
        shown = hook.as_json()
        if options["dry_run"]:
            self.summarise(f"Would remove {hook} of {hook.environment}")
        else:
            self.summarise(f"Removed {hook} of {hook.environment}")
            remove_hook(hook, actor=actor())
        return shown

    def _test(self, **options: Any) -> dict[str, Any]:
        hook = self._named(options)
        if options["dry_run"]:
            self.summarise(f"Would call {hook}")
            return {"hook": hook.pk, "ok": None, "detail": ""}
        answer = try_hook(get_backend(), hook, actor=actor())
        if answer.ok:
            self.summarise(f"{hook} answered: {answer.detail}")
        return {"hook": hook.pk, "ok": answer.ok, "detail": answer.detail}

    def _named(self, options: dict[str, Any]) -> Hook:
        if options["number"] is None:
            raise Refused(
                "hook-not-named", "Which hook is not said.", "Add its number: manage.py hooks list"
            )
        return Hook.objects.numbered(options["number"])
