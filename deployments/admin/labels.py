"""How the admin writes deployments: words, and the colours of unfold's labels."""

from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from deployments.models import Deployment, Outcome, Release

_LONGEST_NAME = 140
UNFINISHED = "Unfinished"
UNDERWAY = "Underway"
COLOURS = {
    Outcome.Result.SUCCEEDED.label: "success",
    Outcome.Result.RESTORED.label: "danger",
    Outcome.Result.ABANDONED.label: "warning",
    UNFINISHED: "warning",
    UNDERWAY: "info",
    "Complete": "success",
    "Pinned": "info",
    "To be removed": "warning",
    "Removed": "danger",
    "Upload unfinished": "warning",
}
_STATES = {
    "whole": "Complete",
    "marked": "To be removed",
    "removed": "Removed",
    "unfinished": "Upload unfinished",
}


@dataclass(frozen=True, slots=True)
class Label:
    """A word that stands on the colour of COLOURS."""

    text: str

    @property
    def colour(self) -> str:
        return COLOURS[self.text]


def kind_of(deployment: Deployment) -> str:
    """Name what a deployment was; of a canary with its share."""
    kind = str(deployment.get_kind_display())
    return kind if deployment.percent is None else f"{kind} {deployment.percent} %"


def result_of(deployment: Deployment, *, underway: bool = False) -> Label:
    """Tell how a deployment ended; `underway` where somebody holds the environment's lock."""
    outcome = getattr(deployment, "outcome", None)
    if outcome:
        return Label(str(outcome))
    return Label(UNDERWAY if underway else UNFINISHED)


def state_of(release: Release) -> Label:
    """Tell what there is of a release."""
    if release.state == "whole" and release.pinned:
        return Label("Pinned")
    return Label(_STATES[release.state])


def actor_of(user: AbstractBaseUser | AnonymousUser) -> str:
    """Name who is at the admin, as commands name who is at a shell."""
    return f"{user.get_username()[:_LONGEST_NAME]} (admin)"
