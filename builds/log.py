"""Recording a build's log, and showing it to who waits for the build."""

import os
import time
from collections.abc import Callable, Iterable

from django.conf import settings

from builds.models import Build, BuildLog
from builds.output import Cleaner, clean
from builds.secrets import Mask, known_secrets

Kind = BuildLog.Kind
Say = Callable[[str], None]
FLUSH_SECONDS = 0.5
PIECE_AT_MOST = 64 * 1024


class Log:
    """The log of one build. Everything in it is masked, and kept in pieces while it grows.

    `say` is called with each line. The command's output is cut after BUILD_LOG_BYTES; lines of ours
    are always kept.
    """

    def __init__(
        self, build: Build, *, say: Say | None = None, secrets: Iterable[str] | None = None
    ) -> None:
        self._build, self._say = build, say or _ignore
        self._parent, self._failed = os.getppid(), False
        self._secrets = known_secrets() if secrets is None else set(secrets)
        self._cleaner, self._mask = Cleaner(), Mask(self._secrets)
        self._text = ""
        self._room = settings.BUILD_LOG_BYTES
        self._flushed = time.monotonic()

    @property
    def is_heard(self) -> bool:
        """Whether `say` works, and the process that started this one, such as git, still runs."""
        return not self._failed and os.getppid() == self._parent

    def say(self, line: str) -> None:
        """Record a line of ours and show it."""
        self._show(self._record(Kind.STEP, line))

    def fault(self, line: str) -> str:
        """Record why the build ends; return it masked. It is raised as well, so not shown here."""
        return self._record(Kind.FAULT, line).rstrip("\n")

    def output(self, data: bytes) -> None:
        """Record output of the command."""
        self._add(self._mask.feed(self._cleaner.feed(data)))
        if len(self._text) >= PIECE_AT_MOST or self._is_due():
            self.flush()

    def flush(self) -> None:
        """Keep and show the output so far."""
        text, self._text = self._text, ""
        self._flushed = time.monotonic()
        if text:
            self._show(self._keep(Kind.OUTPUT, text))

    def end_output(self) -> None:
        """Keep and show what the command printed last."""
        self._add(self._mask.feed(self._cleaner.finish()) + self._mask.finish())
        self.flush()

    def _add(self, text: str) -> None:
        if self._room <= 0 or not text:
            return
        self._text += text[: self._room]
        self._room -= len(text)
        if self._room <= 0:
            self.say(
                f"The log is cut here: the command printed more than {settings.BUILD_LOG_BYTES:,} "
                "characters. The build continues."
            )

    def _is_due(self) -> bool:
        return time.monotonic() - self._flushed >= FLUSH_SECONDS

    def _record(self, kind: BuildLog.Kind, line: str) -> str:
        self.flush()
        mask = Mask(self._secrets)
        return self._keep(kind, mask.feed(" ".join(clean(line).split())) + mask.finish())

    def _keep(self, kind: BuildLog.Kind, text: str) -> str:
        if not text.endswith("\n"):
            text += "\n"
        BuildLog.objects.create(build=self._build, kind=kind, text=text)
        return text

    def _show(self, text: str) -> None:
        try:
            for line in text.splitlines():
                self._say(line)
        except OSError:  # who pushed has gone; what is under way must not end halfway
            self._say, self._failed = _ignore, True


def _ignore(line: str) -> None:
    """Show nothing."""
