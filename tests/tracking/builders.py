"""Plain builders for links, and an object store that tests can inspect and break."""

from itertools import count

from django.utils import timezone

from edge.backends.local.objects import etag_of
from edge.errors import BackendUnavailable, ObjectMissing, StaleEtag
from edge.protocols import ListedObject, ObjectInfo, StoredObject
from tests.builders import make_job
from tracking.links import hash_token
from tracking.models import TrackingLink
from tracking.writing import publish_links

_serial = count(1)


def make_link(*, job=None, revoked=False, **kwargs):
    """Make a link for a job without requesting its publishing."""
    token = kwargs.pop("token", f"token-{next(_serial)}")
    values = {"created_by": "test", "token_sha256": hash_token(token), **kwargs}
    if revoked:
        values |= {"revoked_at": timezone.now(), "revoke_reason": "lost", "revoked_by": "test"}
    return TrackingLink.objects.create(job=job or make_job(), token=token, **values)


def publish_link(*, pk, objects):
    """Publish one link; return its outcome."""
    return publish_links([pk], objects)[pk]


class MemoryStore:
    """An object store in a dict. `before_put` and `after_put` run during the next put, once."""

    is_conditional = True

    def __init__(self):
        self.bodies = {}
        self.headers = {}
        self.down = False
        self.refused = set()
        self.before_put = None
        self.after_put = None

    def put(self, key, body, *, content_type, cache_control, metadata=None, if_match=None):
        before, self.before_put = self.before_put, None
        if before:
            before()
        self._check(key)
        found = self.head(key)
        expected = if_match if self.is_conditional else None
        if expected is not None and expected != (found.etag if found else ""):
            raise StaleEtag(f"{key!r} was replaced.", "Run it again.")
        self.bodies[key] = body
        self.headers[key] = (content_type, cache_control)
        after, self.after_put = self.after_put, None
        if after:
            after()
        return self.head(key)

    def head(self, key):
        self._check(key)
        if key not in self.bodies:
            return None
        body = self.bodies[key]
        return ObjectInfo(key, len(body), etag_of([body]), *self.headers.get(key, ("", "")))

    def delete(self, keys):
        for key in keys:
            self._check(key)
            self.bodies.pop(key, None)

    def get(self, key):
        self._check(key)
        if key not in self.bodies:
            raise ObjectMissing(f"There is no object {key!r}.")
        return StoredObject(self.head(key), self.bodies[key])

    def list(self, prefix):
        for key in sorted(key for key in self.bodies if key.startswith(prefix)):
            body = self.bodies[key]
            yield ListedObject(key, len(body), etag_of([body]))

    def _check(self, key):
        if self.down or key in self.refused:
            raise BackendUnavailable(f"The store refused {key}.", "Try again.")
