from argparse import ArgumentParser
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from qdn import demonstration
from qdn.console import REFUSED, OperatorCommand
from qdn.walk import WalkFailed, walk


class Command(OperatorCommand):
    help = "Load demo data and deploy a first release, for bin/demo."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--urls", action="store_true", help="only print the URLs")
        only.add_argument("--walk", action="store_true", help="try the running site over HTTP")

    def run(self, **options: Any) -> Any:
        demonstration.refuse_in_production()
        if options["walk"]:
            try:
                return walk(site=settings.SITE_URL, say=self.say)
            except WalkFailed as error:
                raise CommandError(str(error), returncode=REFUSED) from error
        if options["dry_run"]:
            self.summarise("Would load demo jobs, create a login, push a release and promote it")
            return {}
        if not options["urls"]:
            demonstration.set_up(say=self.say, out=StringIO() if self.quiet else self.stdout)
        urls = demonstration.urls()
        if options["urls"]:
            for name, url in urls.items():
                self.say(f"{name + ':':22}{url}")
            self.summarise("Up and running. Stop with Ctrl-C.")
        return urls
