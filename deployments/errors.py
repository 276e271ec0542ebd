"""Errors of deployments: refused, changed by another process, or partly changed.

Each error has a stable code and a hint: the exact next step. Commands map the three classes to
exit codes 1, 3 and 4 (qdn/console.py).
"""


class DeploymentError(Exception):
    """Base class: `message` says what was expected and found, `hint` what to do next."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class Refused(DeploymentError):
    """Not allowed or not possible; nothing was changed."""


class ChangedMeanwhile(DeploymentError):
    """Another process holds the lock, or changed what a decision was based on."""


class PartlyChanged(DeploymentError):
    """Work began but did not finish; the hint is the command that finishes or undoes it."""
