"""How the admin shows releases and deployments: texts, and the colours of unfold's labels."""

from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from deployments.models import Deployment, Outcome, Release

_LONGEST_NAME = 140
UNFINISHED = "Unfinished"
UNDERWAY = "In progress"
COLOURS = {
    Outcome.Result.SUCCEEDED.label: "success",
    Outcome.Result.RESTORED.label: "danger",
    Outcome.Result.ABANDONED.label: "warning",
    UNFINISHED: "warning",
    UNDERWAY: "info",
    "Complete": "success",
    "Pinned": "info",
    "Marked for removal": "warning",
    "Removed": "danger",
    "Upload incomplete": "warning",
}
_STATES = {
    "whole": "Complete",
    "marked": "Marked for removal",
    "removed": "Removed",
    "unfinished": "Upload incomplete",
}


@dataclass(frozen=True, slots=True)
class Label:
    """A text that COLOURS has a colour for."""

    text: str

    @property
    def colour(self) -> str:
        return COLOURS[self.text]


def kind_of(deployment: Deployment) -> str:
    """Return the kind of a deployment; for a canary with its share, like "Canary 5%"."""
    kind = str(deployment.get_kind_display())
    return kind if deployment.percent is None else f"{kind} {deployment.percent}%"


def result_of(deployment: Deployment, *, underway: bool = False) -> Label:
    """Return how a deployment ended; `underway` if the environment's lock is held."""
    outcome = getattr(deployment, "outcome", None)
    if outcome:
        return Label(str(outcome))
    return Label(UNDERWAY if underway else UNFINISHED)


def state_of(release: Release) -> Label:
    """Return the state of a release."""
    if release.state == "whole" and release.pinned:
        return Label("Pinned")
    return Label(_STATES[release.state])


def actor_of(user: AbstractBaseUser | AnonymousUser) -> str:
    """Return the actor to record for a user of the admin, like "ines (admin)"."""
    return f"{user.get_username()[:_LONGEST_NAME]} (admin)"
