"""How much each crew has to do today."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from dispatch.models import TRUCK_UNITS, Crew, Job
from dispatch.statuses import Status

MOST = 4
EIGHTHS = ("", "⅛", "¼", "⅜", "½", "⅝", "¾", "⅞")


@dataclass(frozen=True, slots=True)
class Load:
    """A crew's jobs of today. `percent`: its units of the units of the busiest crew."""

    name: str
    jobs: int
    done: int
    units: int
    percent: int

    @property
    def trucks(self) -> str:
        """The units as text, like "2½ trucks" or "⅜ truck"."""
        whole, rest = divmod(self.units, TRUCK_UNITS)
        text = f"{whole or ''}{EIGHTHS[rest]}" or "0"
        return f"{text} truck" if 0 < self.units <= TRUCK_UNITS else f"{text} trucks"


@dataclass(frozen=True, slots=True)
class Loads:
    """The load of each crew: `shown` are the busiest, `others` the rest."""

    shown: Sequence[Load]
    others: Sequence[Load]


def loads(jobs: Sequence[Job]) -> Loads:
    """Return the load of each active crew, and of inactive ones with a job. One query."""
    crews = {crew.pk: crew for crew in Crew.objects.filter(active=True)}
    theirs: dict[int, list[Job]] = defaultdict(list)
    for job in jobs:
        if job.crew is not None:
            crews[job.crew.pk] = job.crew
            theirs[job.crew.pk].append(job)
    units = {pk: sum(map(_units, theirs[pk])) for pk in crews}
    most = max(units.values(), default=0) or 1
    found = [
        Load(
            name=crew.name,
            jobs=len(theirs[pk]),
            done=sum(job.status == Status.COMPLETED for job in theirs[pk]),
            units=units[pk],
            percent=round(100 * units[pk] / most),
        )
        for pk, crew in crews.items()
    ]
    found.sort(key=lambda load: (-load.units, load.name))
    return Loads(found[:MOST], found[MOST:])


def _units(job: Job) -> int:
    return job.window_units or job.service.units_of(job.load_size)
