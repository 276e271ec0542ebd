from argparse import ArgumentParser
from typing import Any

from deployments.api.tokens import check_new, issue, revoke, token_numbered
from deployments.errors import Refused
from deployments.models import ApiToken, Environment
from qdn.arguments import duration
from qdn.console import OperatorCommand, actor, minute


class Command(OperatorCommand):
    help = "List, add or revoke the tokens with which CI pushes, promotes and rolls back by HTTP."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["list", "add", "revoke"], metavar="ACTION")
        parser.add_argument("number", nargs="?", type=int, metavar="TOKEN")
        parser.add_argument("--name", default="", help="the program that will use the token")
        parser.add_argument("--environment", action="append", default=[])
        parser.add_argument(
            "--allow", action="append", default=[], choices=ApiToken.Action.values, metavar="ACTION"
        )
        parser.add_argument(
            "--expires", type=duration, metavar="DURATION", help="30m, 12h or 90d; at most 366d"
        )

    def run(self, **options: Any) -> Any:
        action = {"list": self._list, "add": self._add, "revoke": self._revoke}
        return action[options["action"]](**options)

    def _list(self, **options: Any) -> list[dict[str, Any]]:
        tokens = ApiToken.objects.prefetch_related("environments")
        found = [token.as_json() for token in tokens]
        rows = [
            [
                one["token"],
                one["name"],
                ", ".join(one["environments"]),
                ", ".join(one["actions"]),
                one["state"],
                minute(one["expires_at"]),
                minute(one["last_used_at"]) or "never",
            ]
            for one in found
        ]
        headings = ["Token", "Name", "Environments", "Actions", "State", "Expires", "Last used"]
        self.table(headings, rows, empty="There are no tokens.")
        return found

    def _add(self, **options: Any) -> dict[str, Any]:
        name, actions, lasts = options["name"], options["allow"], options["expires"]
        if not (name and options["environment"] and actions and lasts):
            raise Refused(
                "token-incomplete",
                "A new token needs a name, environments, actions and an end.",
                "Add --name, --environment, --allow and --expires.",
            )
        environments = [Environment.objects.named(one) for one in options["environment"]]
        if options["dry_run"]:
            check_new(name=name, lasts=lasts)
            self.summarise(f"Would make the token {name}")
            return {"token": None, "name": name}
        token, text = issue(
            name=name, environments=environments, actions=actions, lasts=lasts, actor=actor()
        )
        self.summarise(f"Made token {token.pk}, {token}, valid until {token.expires_at:%Y-%m-%d}")
        self.say(f"Shown only now: {text}")
        return {**token.as_json(), "text": text}

    def _revoke(self, **options: Any) -> dict[str, Any]:
        if options["number"] is None:
            raise Refused(
                "token-not-named",
                "Which token is not said.",
                "Add its number: manage.py tokens list",
            )
        token = token_numbered(options["number"])
        if options["dry_run"]:
            self.summarise(f"Would revoke token {token.pk}, {token}")
        elif revoke(token, actor=actor()):
            self.summarise(f"Revoked token {token.pk}, {token}")
        else:
            self.summarise(f"Nothing to do: token {token.pk}, {token}, was revoked before")
        token.refresh_from_db()
        return token.as_json()
