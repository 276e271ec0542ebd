"""A form that cannot be read is the visitor's fault, at any address."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


@pytest.mark.parametrize("path", ["/book/request/", "/admin/login/", "/admin/nowhere/", "/nowhere"])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a=1", f"{FORM}; charset=utf-16"),
        (b"a=1", MULTIPART),
        (b"a=1", f"{MULTIPART}; boundary={'x' * 300}"),
        (b"a=1&" * 1_001, FORM),
        (b"a=" + b"x" * 3_000_000, FORM),
    ],
    ids=["encoding", "no boundary", "boundary", "many fields", "large"],
)
def test_unreadable_form_is_400(path, body, content_type):
    # Reads the fields where a server does, unlike the client that most tests use.
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    answer = client.post(path, body, content_type=content_type)
    assert answer.status_code == 400


def test_readable_form_gets_through(client):
    assert client.post("/book/request/", {"name": "Jo"}).status_code == 422
