"""The file `_redirects` of a source: rules for paths without a file. Pure.

The format is that of Netlify and Cloudflare Pages: a line with a path, a target and perhaps a
status; `#` begins a comment; a `*` at the end of a path matches anything, and `:splat` in the
target repeats it. Unlike there, a rule that a file of the release hides is refused.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from deployments.errors import Refused
from edge.sites import NOT_FOUND, RULES_AT_MOST, Rule

REDIRECTS = "_redirects"
BODY_BYTES = 2**20
REWRITE, PERMANENT = 200, 308
STATUSES = (301, 302, 307, PERMANENT, REWRITE, NOT_FOUND)
TARGET_AT_MOST = 500  # characters
MOST_HOPS = 20
_TARGET = re.compile(
    r"(?:https?://[\w.-]+(?::\d+)?)?/(?:[\x21-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})*", re.ASCII
)
_SPLAT = ":splat"


@dataclass(frozen=True, slots=True)
class Line:
    """A rule and the number of its line."""

    number: int
    rule: Rule


def parse_redirects(body: bytes) -> tuple[Line, ...]:
    """Read a `_redirects` file. Raises Refused with the number of the invalid line."""
    if len(body) > BODY_BYTES:
        raise _wrong(1, f"begins a file of more than {BODY_BYTES // 2**10} KiB", _SHORTEN)
    lines = tuple(Line(number, _rule(number, text.split())) for number, text in _lines(body))
    if len(lines) > RULES_AT_MOST:
        raise _wrong(
            lines[RULES_AT_MOST].number, f"exceeds the limit of {RULES_AT_MOST:,} rules", _SHORTEN
        )
    return lines


def check_redirects(lines: Collection[Line], files: Mapping[str, str]) -> None:
    """Refuse rules that contradict each other or the release.

    `files` maps the URL of every page, without a slash at its end, and of every other file to its
    path. Raises Refused for the later of two rules for one path, a rule that a file hides, a
    rewrite to a file that does not exist, and redirects that lead back to themselves.
    """
    _check_repeated(lines)
    urls = sorted(files)
    for line in lines:
        _check_hidden(line, files, urls)
        if line.rule.status == REWRITE and _path_of(line.rule.target) not in files:
            raise _wrong(
                line.number,
                f"rewrites to {line.rule.target}, which is not in the release",
                "Name a page of this site, or redirect with 302.",
            )
    exact = {line.rule.source: line.rule for line in lines if not line.rule.prefix}
    prefixes = [line.rule for line in lines if line.rule.prefix]
    for line in lines:
        _check_loop(line, exact, prefixes)


def resolved(rule: Rule, files: Mapping[str, str]) -> Rule:
    """Return a rewrite with the path of its file as the target; other rules as they are."""
    if rule.status != REWRITE:
        return rule
    return replace(rule, target=f"/{quote(files[_path_of(rule.target)])}")


def _check_repeated(lines: Collection[Line]) -> None:
    seen: dict[tuple[str, bool], int] = {}
    for line in lines:
        key = line.rule.source, line.rule.prefix
        if key in seen:
            raise _wrong(line.number, f"repeats the path of line {seen[key]}", "Remove one.")
        seen[key] = line.number


def _check_hidden(line: Line, files: Mapping[str, str], urls: list[str]) -> None:
    """Refuse a rule whose path has a file. `urls` are the sorted keys of `files`."""
    source, prefix = line.rule.source, line.rule.prefix
    url = source.rstrip("/") or "/"
    if prefix and url not in files:
        place = bisect_left(urls, source)
        url = urls[place] if place < len(urls) and urls[place].startswith(source) else ""
    if url in files:
        raise _wrong(
            line.number,
            f"is for {source}{'*' if prefix else ''}, but {files[url]} answers there",
            "Remove the file from the site, or the line.",
        )


def _check_loop(line: Line, exact: Mapping[str, Rule], prefixes: list[Rule]) -> None:
    """Refuse a redirect that leads back to its own path. Raises Refused."""
    path = line.rule.source
    for _ in range(MOST_HOPS):
        plain = path.rstrip("/") or "/"
        found = (one for one in prefixes if f"{plain.rstrip('/')}/".startswith(one.source))
        rule = exact.get(plain) or next(found, None)
        if rule is None or rule.status in (REWRITE, NOT_FOUND) or "//" in rule.target:
            return
        rest = path[len(rule.source) :] if rule.prefix else ""
        path = unquote(rule.target.partition("?")[0].partition("#")[0]).replace(_SPLAT, rest)
    raise _wrong(line.number, "redirects in a circle", "Let it lead to a page.")


def _rule(number: int, words: list[str]) -> Rule:
    if len(words) not in (2, 3):
        hint = "Write a path, a target and perhaps a status. Conditions are not supported."
        raise _wrong(number, f"has {len(words)} parts, expected 2 or 3", hint)
    status = _status(number, words[2]) if len(words) == 3 else STATUSES[0]  # noqa: PLR2004
    source, prefix = _source(number, words[0])
    return Rule(source, _target(number, words[1], status, prefix=prefix), status, prefix)


def _source(number: int, text: str) -> tuple[str, bool]:
    path = unquote(text)
    if not path.startswith("/") or "//" in path or re.search(r"[?#\\]|/\.\.?(/|$)|/:", path):
        hint = "Begin it with '/', without a host, query or ':placeholder'."
        raise _wrong(number, f"is for {_shown(text)}, expected a path of this site", hint)
    if path.endswith("/*") and path.count("*") == 1:
        return path[:-1], True
    if "*" in path:
        raise _wrong(number, f"is for {_shown(text)}", "Use one '*', at the end, after a '/'.")
    return path.rstrip("/") or "/", False


def _target(number: int, text: str, status: int, *, prefix: bool) -> str:
    if not _TARGET.fullmatch(text) or len(text) > TARGET_AT_MOST or text.startswith("//"):
        hint = "Name a path ('/new/') or an address ('https://example.com/'), percent-encoded."
        raise _wrong(number, f"leads to {_shown(text)}", hint)
    rest = text.replace(_SPLAT, "") if prefix else text
    if re.search(r"/:\w|:splat", rest):
        raise _wrong(number, f"leads to {_shown(text)}", "Only ':splat' is supported, after a '*'.")
    if status in (REWRITE, NOT_FOUND) and not text.startswith("/"):
        raise _wrong(number, f"answers with {status} from another host", "Redirect there with 302.")
    return text


def _status(number: int, text: str) -> int:
    if text.isascii() and text.isdigit() and int(text[:4]) in STATUSES:
        return int(text)
    hint = f"Use one of: {', '.join(map(str, STATUSES))}."
    if text.endswith("!"):
        hint = "Remove the '!': no rule can hide a file. Remove the file instead."
    raise _wrong(number, f"has the status {_shown(text)}", hint)


def _lines(body: bytes) -> Iterator[tuple[int, str]]:
    """Return the lines that are not blank and not comments, numbered from 1."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = body[: error.start].count(b"\n") + 1
        raise _wrong(number, "is not UTF-8", "Save the file as UTF-8.") from error
    for number, line in enumerate(text.split("\n"), 1):
        rule = re.sub(r"(^|\s)#.*", "", line).strip()
        if rule:
            yield number, rule


def _path_of(target: str) -> str:
    path = unquote(target.partition("?")[0].partition("#")[0])
    return path.removesuffix("index.html").rstrip("/") or "/"


_SHORTEN = "Shorten it: a '*' at the end of a path matches everything below."


def _wrong(line: int, fault: str, hint: str) -> Refused:
    return Refused("redirects-invalid", f"Line {line} of {REDIRECTS} {fault}.", hint)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}...")  # noqa: PLR2004
