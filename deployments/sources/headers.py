"""The `_headers` file of a source: overrides of content types and cache rules. Pure.

The format is that of Netlify and Cloudflare Pages: a line with a path, then indented `Name: value`
lines; `#` begins a comment; one `*` in a path matches anything. Unlike there, the last rule that
sets a header wins (they join all values with commas), and a rule that matches no file is refused.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from deployments.errors import Refused
from deployments.releases.manifest import ASSET_CACHE, Artifact, SourceFile

HEADERS = "_headers"
BODY_BYTES = 64 * 2**10
RULES_AT_MOST = 100  # Cloudflare Pages' limit
VALUE_AT_MOST = 200  # characters

_NAME = r"[\w!#$%&'*+.^`|~-]+"  # RFC 9110, 5.6.2
_VALUE = rf'=({_NAME}|"[ !#-\[\]-~]*")'
TYPE, CACHE = "content-type", "cache-control"
# RFC 9110, 8.3.1 and RFC 9111, 5.2
_FORMS = {
    TYPE: re.compile(rf"{_NAME}/{_NAME}( ?; ?{_NAME}{_VALUE})*", re.ASCII),
    CACHE: re.compile(rf"{_NAME}({_VALUE})?( ?, ?{_NAME}({_VALUE})?)*", re.ASCII),
}


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """Headers (lower-case names) for the paths that match a pattern; `line` is the pattern's."""

    line: int
    pattern: str
    headers: dict[str, str] = field(default_factory=dict)

    def matches(self, urls: Iterable[str]) -> bool:
        """Whether the pattern matches one of an artifact's URLs."""
        start, star, end = self.pattern.partition("*")
        if not star:
            return start in urls
        least = len(start) + len(end)
        return any(
            len(url) >= least and url.startswith(start) and url.endswith(end) for url in urls
        )


def parse_rules(body: bytes) -> tuple[HeaderRule, ...]:
    """Read a `_headers` file. Raises Refused with the number of the invalid line."""
    rules: list[HeaderRule] = []
    for number, line in _lines(body):
        if not line[0].isspace():
            rules.append(HeaderRule(number, _pattern(number, line.rstrip())))
        elif not rules:
            raise _wrong(number, "comes before any path", "Put the path above it, not indented.")
        else:
            name, value = _header(number, line.strip())
            if name in rules[-1].headers:
                raise _wrong(number, f"sets {name} a second time", "Remove one of the two lines.")
            rules[-1].headers[name] = value
    for rule in rules:
        if not rule.headers:
            raise _wrong(rule.line, "has no headers", "Put 'Name: value' lines below it, indented.")
    if len(rules) > RULES_AT_MOST:
        raise _wrong(
            rules[RULES_AT_MOST].line, f"exceeds the limit of {RULES_AT_MOST} rules", _SHORTEN
        )
    return tuple(rules)


def with_rules(rules: Sequence[HeaderRule], files: Iterable[SourceFile]) -> list[SourceFile]:
    """Return the files with the headers that the rules set.

    Raises Refused for a rule that matches no file, and for a cache rule that would let shared
    assets change.
    """
    unused = {rule.line: rule for rule in rules}
    done = []
    for file in files:
        urls = _urls(file.artifact.path)
        found = [rule for rule in rules if rule.matches(urls)]
        for rule in found:
            unused.pop(rule.line, None)
        done.append(replace(file, artifact=_apply(found, file.artifact)) if found else file)
    for line, rule in unused.items():
        raise _wrong(line, f"has {rule.pattern}, which matches no file", "Correct or remove it.")
    return done


def _apply(rules: Iterable[HeaderRule], artifact: Artifact) -> Artifact:
    """Apply rules in order: the last one that sets a header wins."""
    winning = {name: rule for rule in rules for name in rule.headers}
    kind, cache = winning.get(TYPE), winning.get(CACHE)
    if kind:
        artifact = replace(artifact, content_type=kind.headers[TYPE])
    if cache and artifact.shared:
        _check_immutable(artifact, cache)
    elif cache:
        artifact = replace(artifact, cache_control=cache.headers[CACHE])
    return artifact


def _check_immutable(artifact: Artifact, rule: HeaderRule) -> None:
    """Refuse another cache rule for an asset: all releases share the object."""
    if _directives(rule.headers[CACHE]) != _directives(ASSET_CACHE):
        raise _wrong(
            rule.line,
            f"sets a cache rule for {artifact.path}, but files under assets/ never change",
            f"Remove it, or end the file with a rule /assets/* and 'Cache-Control: {ASSET_CACHE}'.",
        )


def _directives(value: str) -> set[str]:
    return {directive.strip().lower() for directive in value.split(",")}


def _urls(path: str) -> tuple[str, ...]:
    """Return the URLs of an artifact: `/book/index.html`, `/book/` and `/book`."""
    url = f"/{path}"
    if not url.endswith("/index.html"):
        return (url,)
    page = url.removesuffix("index.html")
    return (url, page, page.rstrip("/")) if page != "/" else (url, page)


def _lines(body: bytes) -> Iterator[tuple[int, str]]:
    """Return the lines that are not blank and not comments, numbered from 1."""
    if len(body) > BODY_BYTES:
        raise _wrong(1, f"begins a file of more than {BODY_BYTES // 2**10} KiB", _SHORTEN)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = body[: error.start].count(b"\n") + 1
        raise _wrong(number, "is not UTF-8", "Save the file as UTF-8.") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _pattern(number: int, text: str) -> str:
    if not text.startswith("/"):
        hint = "Start paths with '/', and indent 'Name: value' lines."
        raise _wrong(number, f"is {_shown(text)}, expected a path", hint)
    if text.count("*") > 1 or "/:" in text:
        hint = "Use at most one '*'; ':placeholders' are not supported."
        raise _wrong(number, f"is {_shown(text)}, which is not a path or pattern", hint)
    return text


def _header(number: int, text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    name, value = name.strip().lower(), value.strip()
    if not colon or not re.fullmatch(_NAME, name, re.ASCII):
        raise _wrong(number, f"is {_shown(text)}, expected 'Name: value'", "Correct it.")
    if name not in _FORMS:
        raise _wrong(
            number,
            f"sets {_shown(name)}, but a file can only set Content-Type and Cache-Control",
            "Give it to all pages of an environment: manage.py environment set NAME --header "
            f"'{name}: ...'",
        )
    if len(value) > VALUE_AT_MOST or not _FORMS[name].fullmatch(value):
        raise _wrong(
            number, f"has {_shown(value)}, which is not a valid {name}", "Correct the value."
        )
    return name, value


_SHORTEN = "Shorten it: one pattern with '*' can match many files."


def _wrong(line: int, fault: str, hint: str) -> Refused:
    return Refused("headers-invalid", f"Line {line} of {HEADERS} {fault}.", hint)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}...")  # noqa: PLR2004
