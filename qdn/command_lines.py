"""Command lines that operators paste into a shell to run a command again."""

import re
import shlex
from argparse import Action, ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# Escapes within $'...' of bash, ksh and zsh, which fits a line break into one line.
_ESCAPED = {"\\": r"\\", "'": r"\'", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


def command_line(words: Iterable[str]) -> str:
    """Quote words as one line of shell."""
    return " ".join(["manage.py", *map(_quoted, words)])


def words_for(name: str, parser: ArgumentParser, options: Mapping[str, Any]) -> list[str]:
    """Return the words for a command called from Python, rebuilt from its options."""
    words = [name]
    for action in parser._actions:
        given = options.get(action.dest)
        if given is not None and given != action.default:
            words += _words(action, given)
    return words


def _words(action: Action, given: Any) -> Iterator[str]:
    flags = action.option_strings
    if flags and action.nargs == 0:
        # Of a pair such as --x, --no-x the last one is the negative.
        yield flags[0] if given else flags[-1]
        return
    for one in given if isinstance(given, list | tuple) else [given]:
        yield f"{flags[-1]}={one}" if flags else str(one)


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + re.sub(r"[\\'\n\r\t]", lambda match: _ESCAPED[match[0]], word) + "'"
