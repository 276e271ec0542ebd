"""What can go wrong in a deployment: refused, changed under us, or changed in part.

Each error carries a stable code and a hint: the exact next step. Commands map the three classes to
exit codes 1, 3 and 4 (qdn/console.py).
"""


class DeploymentError(Exception):
    """Base: `message` says what was expected and what was found, `hint` what to do next."""

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
    """Somebody else holds the lock, or changed what we had decided upon."""


class PartlyChanged(DeploymentError):
    """Work began and did not finish; the hint is the command that finishes or undoes it."""
