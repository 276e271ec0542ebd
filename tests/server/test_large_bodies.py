"""Archives of the deployment API pass the worker, and only with a token of this installation."""

import json
import os
import subprocess
import time

import pytest

from deployments.api.token_text import make_token
from qdn import arriving_request
from qdn.arriving_request import ArrivingRequest, RequestRefused
from qdn.large_bodies import check_large_body
from tests.deployments.sites import write_site
from tests.server.servers import DEADLINE, ROOT, fetch, receive, send

MIB = 2**20
PATH = "/api/deployments/"
PUSH = f"{PATH}?action=push&environment=staging&commit=0123abc&branch=main"


def bearer(token):
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/zip"}


RUN = """
import time
from deployments.models import Operation
from deployments.tasks import run_operation
while not (waiting := Operation.objects.filter(state="waiting")):
    time.sleep(0.1)
run_operation(waiting.get().pk)
"""


@pytest.fixture(scope="module")
def token(installation):
    return installation.json(
        "tokens", "add", "--name=ci", "--environment=staging", "--allow=push", "--expires=1d"
    )


def start_script(installation, web, token, *arguments):
    """Start the script of the docs."""
    given = {"QDN_SITE": f"http://localhost:{web}", "QDN_TOKEN": token["text"]}
    return subprocess.Popen(
        [ROOT / "docs/examples/push-over-http.sh", *arguments],
        env={**os.environ, **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_archive_is_pushed_through_gunicorn(installation, web, token, tmp_path):
    site = write_site(tmp_path / "site")
    (site / "film.bin").write_bytes(film := os.urandom(5 * MIB))
    script = start_script(installation, web, token, site, "staging", "0123abc", "main&more")
    assert installation.manage("shell", "-c", RUN).returncode == 0
    out, err = script.communicate(timeout=2 * DEADLINE)
    assert script.returncode == 0, err
    assert "staging serves" in out
    assert fetch(web, "/film.bin", headers={"Host": "staging.localhost"}).body == film
    (release,) = [one for one in installation.json("releases") if one["live_in"] == ["staging"]]
    assert (release["commit"], release["branch"]) == ("0123abc", "main&more")


def test_refused_archive_fails_the_script(installation, web, token, tmp_path):
    site = write_site(tmp_path / "site")
    script = start_script(installation, web, token, site, "production")
    out, err = script.communicate(timeout=2 * DEADLINE)
    assert script.returncode == 1
    assert "token-environment" in out + err


def test_revoked_token(installation, web):
    """Its body is taken, since the worker cannot know, and then refused."""
    made = installation.json(
        "tokens", "add", "--name=lost", "--environment=staging", "--allow=push", "--expires=1d"
    )
    installation.json("tokens", "revoke", str(made["token"]))
    refused = fetch(
        web, PUSH, method="POST", body=os.urandom(2 * MIB), headers=bearer(made["text"])
    )
    assert (refused.status, json.loads(refused.body)["code"]) == (401, "token-ended")


@pytest.mark.parametrize(
    ("head", "status", "text"),
    [
        (f"POST {PUSH} HTTP/1.1\r\nAuthorization: Bearer qdn_x\r\n", 401, "token-invalid"),
        (f"POST {PUSH} HTTP/1.1\r\n", 401, "token-invalid"),
        ("POST /book/request/ HTTP/1.1\r\n", 413, "Send less text"),
    ],
)
def test_large_bodies_without_a_token_are_not_received(web, head, status, text):
    data = f"{head}Host: localhost\r\nContent-Length: {2 * MIB}\r\n\r\n"
    with send(web, data.encode()) as connection:
        answer = receive(connection).decode()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert text in answer


def head_of(token, size, *, target=PATH, method="POST", field="Authorization: Bearer"):
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", f"{field} {token}"]
    return "\r\n".join([*lines, f"Content-Length: {size}", "", ""]).encode()


def arriving(data):
    return ArrivingRequest(data, body_bytes=MIB, deadline=0, check_large=check_large_body)


def test_large_body_is_kept_in_a_file_and_has_more_time():
    body = os.urandom(3 * MIB)
    request = arriving(head := head_of(make_token(), len(body)))
    assert not request.is_whole()
    assert request.deadline > 0
    for start in range(0, len(body), 50_000):
        request.add(body[start : start + 50_000])
    assert request.is_whole()
    assert not request._data
    assert b"".join(request.content()) == head + body


PHOTOS = "Content-Type: multipart/form-data; boundary="


@pytest.mark.parametrize(
    "target", ["/book/request/", "/t/AB.12%2C/photos/", "/admin/dispatch/job/12/photos/?a=b"]
)
def test_form_with_photos_is_received_without_a_token(target):
    request = arriving(head_of("b", 61 * MIB, target=target, field=PHOTOS))
    assert not request.is_whole()
    assert list(request.content())


@pytest.mark.parametrize(
    "options",
    [
        {"target": "/book/request/x"},
        {"target": "/t/AB.12/gate/"},
        {"target": "/t/photos/"},
        {"target": "/admin/dispatch/job/x/photos/"},
        {"target": "/admin/dispatch/job/12/change/"},
        {"method": "PUT"},
        {"field": "Content-Type: application/x-www-form-urlencoded; x="},
    ],
)
def test_other_forms_have_no_photos(options):
    given = {"target": "/book/request/", "field": PHOTOS, **options}
    with pytest.raises(RequestRefused, match="Send less text"):
        arriving(head_of("b", 2 * MIB, **given)).is_whole()


def test_too_many_photos_get_a_page_and_time_to_be_discarded(web):
    """The answer waits until the browser has sent everything, as browsers do."""
    size = 70 * MIB
    with send(web, head_of("b", size, target="/book/request/", field=PHOTOS)) as connection:
        for _ in range(70):
            connection.sendall(bytes(MIB))
            time.sleep(0.04)
        answer = receive(connection)
    head, _, page = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 Content Too Large\r\nContent-Type: text/html")
    assert b"style-src 'unsafe-inline'" in head
    assert b"Your photos are too large together" in page


def test_large_bodies_at_a_time_are_limited(monkeypatch):
    monkeypatch.setattr(arriving_request, "MOST_IN_FILES", 2)
    head = head_of("b", 2 * MIB, target="/book/request/", field=PHOTOS)
    requests = [arriving(head) for _ in range(2)]
    assert not any(request.is_whole() for request in requests)
    with pytest.raises(RequestRefused, match="Send it again in a minute"):
        arriving(head).is_whole()
    assert list(requests.pop().content())  # read, and gone
    requests.append(arriving(head))
    assert not requests[-1].is_whole()
    assert [list(request.content()) for request in requests]


@pytest.mark.parametrize(
    "options",
    [
        {"target": "/api/deployments"},
        {"target": "/api/deployments/1/"},
        {"target": "/api/deployments/../../book/request/"},
        {"method": "PUT"},
        {"field": "X-Authorization: Bearer"},
        {"field": "Authorization: Basic"},
        {"size": 101 * MIB},
    ],
)
def test_other_large_bodies_are_refused(options):
    head = head_of(make_token(), **{"size": 2 * MIB, **options})
    with pytest.raises(RequestRefused):
        arriving(head).is_whole()
