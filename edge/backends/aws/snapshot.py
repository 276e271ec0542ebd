"""Reads the AWS back end into snapshots, for a local edge that replaces CloudFront."""

from collections.abc import Mapping

from edge.functions.shipped import function_name
from edge.protocols import FunctionHost, KeyValueStore, Snapshot
from edge.serving.host_functions import environment_of, functions_by_host


class AwsSnapshots:
    """Reads snapshots: one call for the store, and one for each environment's function.

    Only a function's live stage shows that it was published, so each is read every time.
    Invalidations are not reported: a local edge over this back end keeps no cache.
    """

    def __init__(self, keyvalues: KeyValueStore, functions: FunctionHost) -> None:
        self._keyvalues = keyvalues
        self._functions = functions

    def read(self, known: Snapshot) -> Snapshot:
        """Return a newer snapshot, or `known` if nothing changed. Raises BackendUnavailable."""
        etag = self._keyvalues.etag()
        keyvalues = known.keyvalues if etag == known.etag else self._keyvalues.items()
        live = [self._functions.live(name) for name in sorted(function_names(keyvalues))]
        functions = {found.name: found.source for found in live if found}
        if etag == known.etag and functions == known.functions:
            return known
        return Snapshot(
            etag=etag,
            published=known.published + 1,
            invalidated=0,
            keyvalues=keyvalues,
            functions=functions,
            hosts=functions_by_host(keyvalues, functions),
        )


def function_names(keyvalues: Mapping[str, str]) -> set[str]:
    """Return the names of the functions of all environments that have a host."""
    documents = [value for key, value in keyvalues.items() if key.startswith("host:")]
    return {function_name(environment_of(text)) for text in documents if environment_of(text)}
