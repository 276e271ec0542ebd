"""Reads the aws back end into snapshots, for a local edge that stands in for CloudFront."""

from collections.abc import Mapping

from edge.functions.shipped import function_name
from edge.protocols import Backend
from edge.serving.snapshot import Snapshot, environment_of, functions_by_host


class AwsSnapshots:
    """Reads snapshots: a call for the store, and one for each environment's function.

    Nothing tells of a publication but the function's live stage, so each is read every time.
    Invalidations are not followed: a local edge over this back end keeps no cache.
    """

    def __init__(self, backend: Backend) -> None:
        self._keyvalues = backend.keyvalues
        self._functions = backend.functions

    def read(self, known: Snapshot) -> Snapshot:
        """Read what changed since `known`, or give `known`. Raises BackendUnavailable."""
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
    """Name the functions of the environments that hosts are routed to."""
    documents = [value for key, value in keyvalues.items() if key.startswith("host:")]
    return {function_name(environment_of(text)) for text in documents if environment_of(text)}
