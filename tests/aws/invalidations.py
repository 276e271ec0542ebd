"""Mends the stand-in's invalidations: they are in progress for a while, and their paths limited.

There is no clock in it: an invalidation is done once it was listed, or in the way of another one,
for the second time.
"""

from ministack.services import cloudfront

from edge.limits import CLOUDFRONT

LOOKS = 2


def take_time_to_invalidate():
    """Put ours in front of MiniStack's two operations."""
    create, list_all = cloudfront._create_invalidation, cloudfront._list_invalidations

    def create_invalidation(distribution, body):
        before = _of(distribution)
        answer = create(distribution, body)
        for made in _of(distribution)[len(before) :]:
            if not CLOUDFRONT.allow_invalidation(_in_progress(before), _paths(made)):
                cloudfront._invalidations[distribution].remove(made)
                _go_on(before)
                return cloudfront._error("TooManyInvalidationsInProgress", "Too many.", 400)
            made.update(Status="InProgress", looks=LOOKS)
        return answer

    def list_invalidations(distribution):
        _go_on(_of(distribution))
        return list_all(distribution)

    cloudfront._create_invalidation = create_invalidation
    cloudfront._list_invalidations = list_invalidations


def _of(distribution):
    return list(cloudfront._invalidations.get(distribution, []))


def _paths(invalidation):
    return invalidation["InvalidationBatch"]["Paths"]["Items"]


def _in_progress(invalidations):
    return [path for one in invalidations if one["Status"] == "InProgress" for path in _paths(one)]


def _go_on(invalidations):
    for one in invalidations:
        if one["Status"] == "InProgress":
            one["looks"] -= 1
            one["Status"] = "InProgress" if one["looks"] else "Completed"
