from argparse import ArgumentParser
from typing import Any

from django.utils.dateparse import parse_datetime

from deployments.context import Caller
from deployments.previews.remove import remove_preview
from deployments.previews.repair import repair_previews
from deployments.previews.rows import PRODUCTION, preview_diff, preview_rows
from deployments.wording import plural
from edge.backends import get_backend
from edge.database_clock import database_now
from qdn.console import OperatorCommand, actor
from qdn.differences import SHOWN, show_differences


class Command(OperatorCommand):
    help = "List the previews of branches; compare one with what is live, or remove it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        does = parser.add_mutually_exclusive_group()
        does.add_argument("--diff", metavar="BRANCH", help="show what it would change")
        does.add_argument("--remove", metavar="BRANCH", help="end its preview")
        does.add_argument(
            "--repair", action="store_true", help="make all addresses follow the database"
        )
        parser.add_argument(
            "--against",
            default=PRODUCTION,
            metavar="ENVIRONMENT",
            help="with --diff: compare with what is live there",
        )
        parser.add_argument(
            "--all", action="store_true", help=f"with --diff: every path, not just {SHOWN}"
        )

    def run(self, **options: Any) -> Any:
        if options["diff"] is not None:
            return self._diff(options)
        if options["remove"] is not None:
            return self._remove(options["remove"], dry_run=options["dry_run"])
        if options["repair"]:
            return self._repair(dry_run=options["dry_run"])
        return self._list()

    def _list(self) -> list[dict[str, Any]]:
        rows, now = preview_rows(get_backend()), database_now()
        self.table(
            ["branch", "address", "release", "commit", "age", "actor"],
            [
                [
                    row["branch"],
                    row["url"],
                    row["release"],
                    row["commit"][:12],
                    _age((now - parse_datetime(row["pushed_at"])).total_seconds()),  # type: ignore[operator]
                    row["actor"],
                ]
                for row in rows
            ],
            empty="No branch has a preview. Push one with: manage.py push --branch NAME",
        )
        return rows

    def _diff(self, options: dict[str, Any]) -> dict[str, Any]:
        live, shown, diff = preview_diff(get_backend(), options["diff"], options["against"])
        show_differences(self, live, shown, diff, every=options["all"])
        return {"from": live.name, "to": shown.name, **diff.as_json()}

    def _remove(self, branch: str, *, dry_run: bool) -> dict[str, Any]:
        gone = remove_preview(get_backend(), branch, self._caller(), dry_run=dry_run)
        self.summarise(f"The preview of {gone} {'would end' if dry_run else 'has ended'}")
        return {"branch": gone.branch, "slug": gone.slug, "removed": not dry_run}

    def _repair(self, *, dry_run: bool) -> dict[str, Any]:
        keys = repair_previews(get_backend(), self._caller(), dry_run=dry_run)
        for key in keys:
            self.say(key)
        did = "Would repair" if dry_run else "Repaired"
        self.summarise(f"{did} {plural(len(keys), 'key')}" if keys else "Nothing to repair")
        return {"repaired": keys, "dry_run": dry_run}

    def _caller(self) -> Caller:
        return Caller(actor=actor(), say=self.say)


def _age(seconds: float) -> str:
    hours = int(seconds // 3600)
    return f"{hours // 24} d" if hours >= 24 else f"{hours} h" if hours else "under 1 h"  # noqa: PLR2004
