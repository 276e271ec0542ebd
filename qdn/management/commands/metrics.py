from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.utils import timezone

from deployments.metrics import (
    MOST_HOURS,
    NO_SUBJECT,
    NOT_MEASURED,
    Report,
    read_report,
    show_peak,
    show_period,
    show_total,
)
from deployments.models import Environment
from edge.backends import get_backend
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = "Show recent metrics: requests, errors, bytes and the load of edge functions."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", help="only this environment")
        parser.add_argument("--hours", type=_hours, default=24, help="how far back; default 24")

    def run(self, **options: Any) -> list[dict[str, Any]]:
        named = options["environment"]
        environments = [Environment.objects.named(named)] if named else Environment.objects.all()
        report = read_report(
            get_backend(), environments, hours=options["hours"], now=timezone.now()
        )
        if not report.measured:
            self.say(NOT_MEASURED)
        if report.measured or report.subjects:
            self._show(report)
        return report.as_json()

    def _show(self, report: Report) -> None:
        span = report.span
        self.say(
            f"{span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M} UTC, "
            f"in periods of {show_period(span.period)}"
        )
        self.table(
            ["environment", "of", "metric", "total", "highest"],
            [
                [
                    subject.environment,
                    f"{subject.kind} {subject.id}",
                    figure.column.title,
                    show_total(figure),
                    show_peak(figure, span),
                ]
                for subject in report.subjects
                for figure in subject.figures
            ],
            empty=NO_SUBJECT,
        )


def _hours(text: str) -> int:
    """Parse a number of hours. Raises ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= MOST_HOURS:
        raise ArgumentTypeError(f"expected 1 to {MOST_HOURS} hours, found {text!r}")
    return int(text)
