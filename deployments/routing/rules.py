"""The entries of the key-value store from which local edges read an environment's rules."""

from deployments.models import Environment
from deployments.routing.keys import update_keys
from edge.protocols import Backend
from edge.serving_rules import is_rule_of


def wrong_rules(backend: Backend, environment: Environment) -> dict[str, str | None]:
    """Return the entries for local edges that are wrong, as they should be; None for no entry."""
    if backend.read_snapshot is None:
        return {}  # provisioned with the distribution
    wanted = environment.serving_rules.keyvalues(environment.name)
    stored = {
        key: value
        for key, value in backend.keyvalues.items().items()
        if is_rule_of(key, environment.name)
    }
    keys = wanted.keys() | stored.keys()
    return {key: wanted.get(key) for key in keys if wanted.get(key) != stored.get(key)}


def write_rules(backend: Backend, environment: Environment) -> int:
    """Write the entries for local edges that are wrong; return how many. Raises EdgeError."""
    wrong = wrong_rules(backend, environment)
    if wrong:
        update_keys(
            backend.keyvalues,
            puts={key: value for key, value in wrong.items() if value is not None},
            deletes=[key for key, value in wrong.items() if value is None],
        )
    return len(wrong)
