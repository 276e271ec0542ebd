"""What a distribution's configuration says in AWS, for local edges: headers, and who answers.

Local edges read it from the key-value store: `application:<environment>` holds `off` where Django
answers no path, and `header:<environment>:<name>` a response header, as JSON.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

_APPLICATION = "application:"
_HEADER = "header:"
_OFF = "off"


@dataclass(frozen=True, slots=True)
class ServingRules:
    """How an environment answers: whether Django has its own paths, and the headers of its pages.

    `headers` replace those of a behaviour by name; an empty value removes one.
    """

    application: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)

    def keyvalues(self, environment: str) -> dict[str, str]:
        """Return the entries of the key-value store."""
        entries = {
            f"{_HEADER}{environment}:{name}": json.dumps(value)
            for name, value in self.headers.items()
        }
        return entries if self.application else {_APPLICATION + environment: _OFF, **entries}


def is_rule_of(key: str, environment: str) -> bool:
    """Whether a key of the store holds a rule of an environment."""
    return key == _APPLICATION + environment or key.startswith(f"{_HEADER}{environment}:")


def header_of(key: str) -> tuple[str, str] | None:
    """Return the environment and the name of a header's key; None for any other key."""
    if not key.startswith(_HEADER):
        return None
    environment, _, name = key.removeprefix(_HEADER).partition(":")
    return environment, name


def is_without_application(keyvalues: Mapping[str, str], environment: str) -> bool:
    """Whether the store says that Django answers no path of an environment."""
    return keyvalues.get(_APPLICATION + environment) == _OFF
