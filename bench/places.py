"""Empty installations for measurements: a temporary folder, SQLite, one of the back ends."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import django
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def set_up(stack: ExitStack, folder: Path, backend: str, database: str = "") -> None:
    """Prepare an empty installation on a back end. `database` is a URL; SQLite without one."""
    os.environ.update(
        DATA_DIR=str(folder),
        DATABASE_URL=database or f"sqlite:///{folder}/db.sqlite3",
        DJANGO_SETTINGS_MODULE="qdn.settings",
        EDGE_BACKEND=backend,
        DEBUG="true",
    )
    if backend == "aws":
        from tests.aws import stand_in  # noqa: PLC0415 - needed for this back end only

        found = stack.enter_context(stand_in.running(0))
        os.environ.update(stand_in.environ(found) | stand_in.SETTINGS)
    django.setup()
    call_command("migrate", verbosity=0)
    if backend == "aws":
        from tests.aws.places import create_distributions  # noqa: PLC0415
        from tests.aws.plain import PlainBoto  # noqa: PLC0415

        PlainBoto().create_places()
        create_distributions()
