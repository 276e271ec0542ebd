from typing import Any

from django.core.management.base import BaseCommand

from qdn.tasks.supervisor import work


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Do background work: publish, deploy what the admin confirmed, run schedules."

    def handle(self, *args: Any, **options: Any) -> None:
        work(say=self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()  # it may be a pipe, and a fork must not inherit the line
