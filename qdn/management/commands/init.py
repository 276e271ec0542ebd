import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from builds.setup import Ready, set_up
from deployments.errors import Refused
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = "Write how a site is built into its qdn.toml, and make a repository that builds it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("folder", nargs="?", default=".", type=Path, metavar="DIR")
        parser.add_argument(
            "--git", type=Path, metavar="PATH", help="make a bare repository there that builds"
        )
        parser.add_argument("--command", help="the build command; default: guessed")
        parser.add_argument("--output", metavar="DIR", help="the folder that it builds into")
        parser.add_argument("--yes", action="store_true", help="ask nothing: use what is guessed")

    def run(self, **options: Any) -> dict[str, Any]:
        has_terminal = sys.stdin is not None and sys.stdin.isatty()
        ready = set_up(
            options["folder"].absolute(),
            repository=options["git"],
            command=options["command"],
            output=options["output"],
            ask=self.question if has_terminal and not options["yes"] else None,
            say=self.say,
            dry_run=options["dry_run"],
        )
        self._sum_up(ready, dry_run=options["dry_run"])
        build = ready.settings.build
        return {
            "file": str(ready.file),
            "written": ready.wrote and not options["dry_run"],
            "command": build.command if build else "",
            "output": build.output if build else "",
            "branches": ready.settings.branches.environments,
            "repository": str(ready.repository) if ready.repository else None,
        }

    def question(self, text: str, default: str) -> str:
        """Ask at the terminal, on standard error. Raises Refused."""
        shown = f" [{default}]" if default else ""
        self.stderr.write(f"{text}{shown}: ", str, ending="")
        self.stderr.flush()
        try:
            return input("").strip() or default
        except EOFError as error:  # Ctrl-D
            raise Refused("not-confirmed", "Not answered; nothing was written.") from error

    def _sum_up(self, ready: Ready, *, dry_run: bool) -> None:
        build = ready.settings.build
        would = "Would write" if dry_run else "Wrote"
        if build and ready.wrote:
            self.say(f"{would} {ready.file}: {build.command or 'no command'} -> {build.output}")
        if ready.repository is None:
            self.summarise("Next, make a repository that builds it: manage.py init --git PATH")
            return
        self.say(f"{'Would make' if dry_run else 'Made'} {ready.repository}")
        self.say("Its builds read the settings in .env of this checkout")
        self.summarise(
            f"Next, in {ready.file.parent}: git add qdn.toml && git commit -m 'Build on push' && "
            f"git remote add qdn {ready.repository} && git push qdn {ready.branch}"
        )
