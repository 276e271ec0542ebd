"""Doubles in front of a real back end: they count, fail or die, and pass on everything else."""

from collections import Counter
from contextlib import suppress

from deployments.releases.manifest import MANIFEST
from edge.errors import EdgeError


class Counting:
    """Counts the calls of every method."""

    def __init__(self, real):
        self._real = real
        self.calls = Counter()

    def __getattr__(self, name):
        method = getattr(self._real, name)

        def call(*args, **kwargs):
            self.calls[name] += 1
            return method(*args, **kwargs)

        return call


class Killed(BaseException):
    """Simulates kill -9: our code does not catch it."""


class KilledAtManifest:
    """An object store in front of which a push is killed before it writes the manifest."""

    def __init__(self, real):
        self._real = real

    def put(self, key, *args, **kwargs):
        if key.endswith(MANIFEST):
            raise Killed
        return self._real.put(key, *args, **kwargs)

    def __getattr__(self, name):
        return getattr(self._real, name)


class FaultPoint:
    """Raises an error at the n-th call of the parts it is put in front of, counted together.

    With `after` the call happens first: the write is done, but its answer is lost. `name` is the
    method that was called.
    """

    def __init__(self, at, error, *, after=False):
        self.at, self.error, self.after = at, error, after
        self.calls, self.name = 0, ""

    def before(self, real):
        return _Faulty(real, self)

    @property
    def was_reached(self):
        return self.calls >= self.at


class _Faulty:
    def __init__(self, real, fault):
        self._real, self._fault = real, fault

    def put_all(self, objects, *, on_stored):
        """Count, fail or die at each object: a batch counts as one call per object."""
        put_all = self.__getattr__("put_all")
        for new in objects:
            put_all([new], on_stored=on_stored)

    def __getattr__(self, name):
        method = getattr(self._real, name)

        def call(*args, **kwargs):
            fault = self._fault
            fault.calls += 1
            if fault.calls != fault.at:
                return method(*args, **kwargs)
            fault.name = name
            if fault.after:
                with suppress(EdgeError):  # a refusal is lost as well
                    method(*args, **kwargs)
            raise fault.error

        return call
