"""Links of a former system open their job, in every form and with every token a link can carry."""

from urllib.parse import quote

import pytest
from django.test import Client

from edge.backends import get_backend
from edge.functions.shipped import function_source
from tests.deployments.sites import Operator
from tests.tracking.registry.builders import CLOSED_TOKENS, ODD_TOKENS, former, take
from tracking.links import hash_token, token_in, tracking_url
from tracking.models import TrackingLink
from tracking.publishing import publish

pytestmark = pytest.mark.django_db
FORMS = ["/track.html?token={}", "/track?token={}", "/track/?t={}", "/track.html?t={}"]


@pytest.fixture
def edge(settings, tmp_path):
    """Return a function that asks the local edge for a path: status, headers and body."""
    settings.EDGE_PROBE_SECONDS = 0
    assert function_source()
    operator = Operator(get_backend(), tmp_path)
    operator.push()
    operator.promote()
    from edge.local_edge import in_front_of  # noqa: PLC0415 - needs the settings of this test

    application = in_front_of(lambda environ, start_response: [])
    return lambda address: ask(application, address)


def ask(application, address):
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": path, "RAW_URI": address,
        "QUERY_STRING": query, "HTTP_HOST": "localhost:8000", "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost", "SERVER_PORT": "8000", "wsgi.url_scheme": "http",
    }  # fmt: skip
    met = {}

    def start_response(status, headers, exc_info=None):
        met["status"] = int(status.split()[0])
        met["headers"] = {name.lower(): value for name, value in headers}

    body = b"".join(application(environ, start_response))
    return met["status"], met["headers"], body


def test_every_form_leads_to_the_document(edge, tmp_path):
    take(tmp_path, {f"QDN-{2000 + n}": former(token=one) for n, one in enumerate(ODD_TOKENS)})
    publish(objects=get_backend().objects)
    for token in ODD_TOKENS:
        encoded = quote(token, safe="")
        for form in FORMS:
            status, headers, _ = edge(form.format(encoded))
            assert status == 301, form
            location = headers["location"]
            assert edge(location)[0] == 200, location
            document = edge(f"{location}.json")
            assert document[0] == 200, location
            number = TrackingLink.objects.get(token_sha256=hash_token(token)).job.label
            assert f'"number":"{number}"'.encode() in document[2]


def test_tokens_that_no_link_can_carry_are_refused(edge, tmp_path):
    take(tmp_path, {f"QDN-{2000 + n}": former(token=one) for n, one in enumerate(CLOSED_TOKENS)})
    publish(objects=get_backend().objects)
    for token in CLOSED_TOKENS:
        encoded = quote(token, safe="")
        assert edge(f"/track/{encoded}")[0] in {400, 404}
        assert edge(f"/track.html?token={encoded}")[0] in {200, 301}  # the page, or the same again


@pytest.mark.parametrize("token", ODD_TOKENS)
def test_the_application_opens_them_too(tmp_path, token):
    take(tmp_path, {"QDN-2000": former(token=token)})
    link, encoded = TrackingLink.objects.get(), quote(token, safe="")
    assert b"QDN-2000" in Client().get(f"/t/{encoded}/").content
    assert token_in(tracking_url(link)) == token
    for pasted in (tracking_url(link), f"https://old.example/track.html?token={encoded}"):
        answer = Client().get("/t/", {"link": pasted}, follow=True)
        assert b"QDN-2000" in answer.content


def test_link_whose_token_is_not_known_opens(tmp_path):
    row = former(token=None, token_sha256=hash_token("a b"))
    take(tmp_path, {"QDN-2000": row})
    page = Client().get("/t/a%20b/").content.decode()
    assert "/track/a%20b" in page
