"""Reading and acting on the board's endpoints, as the page does."""

from uuid import uuid4

BOARD, ACTS = "/api/board", "/api/board/acts"


def read(client, day=None):
    answer = client.get(BOARD, {"day": day} if day else {})
    assert answer.status_code == 200, answer.content
    return answer.json()


def column(document, code):
    return next(one for one in document["columns"] if one["code"] == code)


def places(document):
    """Return the columns of each job but Needs you."""
    found = {}
    for one in document["columns"]:
        for pk in one.get("jobs", []):
            found.setdefault(pk, []).append(one["code"])
    return found


def post(client, act, job=None, **fields):
    """Post an act on a job, at the revision it was read with, and return the answer."""
    body = {"act": act, "key": str(uuid4())}
    if job is not None:
        body |= {"job": job.pk, "revision": job.revision}
    return client.post(ACTS, {**body, **fields}, content_type="application/json")


def done(client, act, job=None, **fields):
    answer = post(client, act, job, **fields)
    assert answer.status_code == 200, answer.content
    if job is not None:
        job.refresh_from_db()
    return answer.json()


def refused(client, status, act, job=None, **fields):
    answer = post(client, act, job, **fields)
    assert answer.status_code == status, answer.content
    return answer.json()
