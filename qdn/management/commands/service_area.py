from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dispatch.catalogue.importing import AreaFileRefused, import_area
from dispatch.models import ServedZip
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = "List the ZIP codes that the firm serves, or import them from a CSV file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["list", "import"], metavar="ACTION")
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="remove the ZIP codes that the file does not list",
        )

    def run(self, **options: Any) -> Any:
        return self._import(**options) if options["action"] == "import" else self._list()

    def _list(self) -> list[dict[str, Any]]:
        area = ServedZip.objects.all()
        self.table(
            ["ZIP", "Town", "Surcharge"],
            [
                [row.zip_code, row.town, row.surcharge if row.surcharge_cents else ""]
                for row in area
            ],
            empty="The firm serves every ZIP code: none is listed.",
        )
        return [
            {"zip": row.zip_code, "town": row.town, "surcharge_cents": row.surcharge_cents}
            for row in area
        ]

    def _import(self, **options: Any) -> dict[str, int]:
        content = _read(options["file"])
        done = import_area(content, replace=options["replace"], dry_run=options["dry_run"])
        verb = "Would change the area" if options["dry_run"] else "Changed the area"
        self.summarise(
            f"{verb}: {done.added} ZIP codes added, {done.changed} changed, "
            f"{done.removed} removed, {done.unchanged} as before"
        )
        return asdict(done)


def _read(path: Path | None) -> bytes:
    """Return the content of the file. Raises AreaFileRefused."""
    if path is None:
        raise AreaFileRefused(
            "No file was named.", "Add its path: manage.py service_area import FILE"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise AreaFileRefused(
            f"Expected a file at {path}: {error.strerror}.", "Check the path."
        ) from error
