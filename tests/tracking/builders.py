"""Plain builders for links, and an object store that tests can inspect and break."""

from itertools import count

from django.utils import timezone

from edge.errors import BackendUnavailable
from edge.protocols import ObjectInfo
from tests.builders import make_job
from tracking.links import hash_token
from tracking.models import TrackingLink

_serial = count(1)


def make_link(*, job=None, revoked=False, **kwargs):
    """Make a link for a job without requesting its publishing."""
    token = kwargs.pop("token", f"token-{next(_serial)}")
    values = {"created_by": "test", "token_sha256": hash_token(token), **kwargs}
    if revoked:
        values |= {"revoked_at": timezone.now(), "revoke_reason": "lost", "revoked_by": "test"}
    return TrackingLink.objects.create(job=job or make_job(), token=token, **values)


class MemoryStore:
    """An object store in a dict. `before_put` and `after_put` run during the next put, once."""

    def __init__(self):
        self.bodies = {}
        self.headers = {}
        self.down = False
        self.refused = set()
        self.before_put = None
        self.after_put = None

    def put(self, key, body, *, content_type, cache_control, metadata=None):
        before, self.before_put = self.before_put, None
        if before:
            before()
        self._check(key)
        self.bodies[key] = body
        self.headers[key] = (content_type, cache_control)
        after, self.after_put = self.after_put, None
        if after:
            after()
        return ObjectInfo(key, len(body), "etag", content_type, cache_control)

    def delete(self, keys):
        for key in keys:
            self._check(key)
            self.bodies.pop(key, None)

    def _check(self, key):
        if self.down or key in self.refused:
            raise BackendUnavailable(f"The store refused {key}.", "Try again.")
