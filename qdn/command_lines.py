"""The line that asks a command for the same again, to be pasted into a shell."""

import re
import shlex
from argparse import Action, ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# Within $'...' of bash, ksh and zsh, which is how a line break fits into one line.
_ESCAPED = {"\\": r"\\", "'": r"\'", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


def command_line(words: Iterable[str]) -> str:
    """Write words as one line that a shell reads as the same words."""
    return " ".join(["manage.py", *map(_quoted, words)])


def words_for(name: str, parser: ArgumentParser, options: Mapping[str, Any]) -> list[str]:
    """Rebuild the words of a command that was called from Python with options of its parser."""
    words = [name]
    for action in parser._actions:
        given = options.get(action.dest)
        if given is not None and given != action.default:
            words += _words(action, given)
    return words


def _words(action: Action, given: Any) -> Iterator[str]:
    flags = action.option_strings
    if flags and action.nargs == 0:
        # The last one says no, where there are two.
        yield flags[0] if given else flags[-1]
        return
    for one in given if isinstance(given, list | tuple) else [given]:
        yield f"{flags[-1]}={one}" if flags else str(one)


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + re.sub(r"[\\'\n\r\t]", lambda found: _ESCAPED[found[0]], word) + "'"
