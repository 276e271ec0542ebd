"""What is live in each environment."""

from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery

from deployments.models import Deployment, Environment, Freeze


@dataclass(frozen=True, slots=True)
class Live:
    """An environment with its live deployment, a canary and a freeze, if any."""

    place: Environment
    live: Deployment | None
    canary: Deployment | None
    frozen: Freeze | None


def live_releases() -> list[Live]:
    """Return what each environment serves. Takes three queries, however many there are."""
    mine = Deployment.objects.filter(environment=OuterRef("pk")).order_by("-pk")
    found = Environment.objects.annotate(
        live_id=_newest(mine.switched()), last_id=_newest(mine.succeeded())
    )
    environments = list(found)
    keys = {key for one in environments for key in (one.live_id, one.last_id)}
    deployments = Deployment.objects.select_related("release").in_bulk(keys - {None})
    freezes = Freeze.objects.in_force().by_hand().order_by("pk")
    frozen = {one.environment_id: one for one in freezes}
    return [
        Live(
            place=one,
            live=deployments.get(one.live_id),
            canary=_if_canary(deployments.get(one.last_id)),
            frozen=frozen.get(one.pk),
        )
        for one in environments
    ]


def _newest(deployments: QuerySet[Deployment]) -> Subquery:
    return Subquery(deployments.values("pk")[:1])


def _if_canary(last: Deployment | None) -> Deployment | None:
    return last if last and last.kind == Deployment.Kind.CANARY else None
