"""Our secrets, and masking them in what a build prints."""

import os
import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from django.conf import settings

MASK = "***"
# Masking shorter ones would hide ordinary words.
SHORTEST = 6
_NAMED_LIKE_ONE = re.compile("SECRET|TOKEN|PASSW|PRIVATE_KEY|API_KEY|ACCESS_KEY|CREDENTIAL")


def known_secrets() -> set[str]:
    """Return the texts that no log may have: our secrets, and values of BUILD_ENVIRONMENT."""
    found = {settings.SECRET_KEY, settings.BUILD_WEBHOOK_SECRET}
    urls = (settings.REDIS_URL, *settings.BUILD_REPOSITORIES.values())
    found |= {urlsplit(url).password for url in urls}
    found |= {database.get("PASSWORD") for database in settings.DATABASES.values()}
    found |= {value for name, value in os.environ.items() if _NAMED_LIKE_ONE.search(name)}
    found |= {os.environ.get(name) for name in settings.BUILD_ENVIRONMENT}
    texts = {text for one in found if one and len(text := str(one).strip()) >= SHORTEST}
    return texts | {quote(text, safe="") for text in texts}


class Mask:
    """Replaces secrets in a text that arrives in pieces, which may divide a secret."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)
        self._longest = len(self._secrets[0]) if self._secrets else 0
        self._pattern = re.compile("|".join(map(re.escape, self._secrets)) or r"(?!)")
        self._held = ""

    def feed(self, text: str) -> str:
        """Return what can be shown by now. The beginning of a possible secret is held back."""
        text = self._held + text
        end = self._held_from(text)
        shown, position = [], 0
        for match in self._pattern.finditer(text):
            if match.start() >= end:
                break
            shown += [text[position : match.start()], MASK]
            position = match.end()
        end = max(end, position)
        self._held = text[end:]
        return "".join([*shown, text[position:end]])

    def finish(self) -> str:
        """Return what was held back."""
        rest, self._held = self._pattern.sub(MASK, self._held), ""
        return rest

    def _held_from(self, text: str) -> int:
        """Return where the text may continue as a secret, or its end."""
        for start in range(max(0, len(text) - self._longest + 1), len(text)):
            rest = text[start:]
            if any(one.startswith(rest) and one != rest for one in self._secrets):
                return start
        return len(text)
