"""docs/examples/nginx.conf, in a real nginx."""

import json
import re
from contextlib import closing

import pytest

from tests.server.echo import echo
from tests.server.nginx import encrypted, proxy
from tests.server.servers import (
    DEADLINE,
    ENDED,
    ROOT,
    STALLED_BODY,
    STALLED_HEAD,
    fetch,
    gunicorn,
    receive,
)

SECRET = "Zm9yYmlkZGVuLXNlY3JldA"
# Ways to write a path with a secret, and where it is a referrer.
SECRET_PATHS = [
    f"/track/{SECRET}",
    f"/track/{SECRET}.json",
    f"/track-staging/{SECRET}/",
    f"/%74rack/{SECRET}",
    f"//track/{SECRET}",
    f"/x/../track/{SECRET}",
    f"/TRACK/{SECRET}",
    f"/track.html?token={SECRET}",
    f"/track?t={SECRET}",
    f"/t/{SECRET}/",
    f"/%2ft/{SECRET}/",
    f"/t/?link=/track/{SECRET}",
    f"/crew/{SECRET}/",
    f"/?release=20260101-000000-aaaaaaaa.1.{SECRET}",
    f"/admin/login/?next=/{SECRET}",
]
# Paths that the edge refuses or routes by how they are written.
RAW_PATHS = [
    "/",
    "/book/",
    "/book",
    "/healthz",
    "/no-such-page/",
    "/a%2fb",
    "/book%2Frequest/",
    "/book/request/%2e%2e/",
    "/book/../admin/",
    "/book/./request/",
    "/../admin/",
    "/%2e%2e/admin/",
    "//book/",
    "/book//",
    "/admin%2flogin/",
    "/static/site%2f..%2fsite/site.css",
    "/track/a%2fb",
    "/t/%41%42",
    "/a%5cb",
    "/a%00b",
    "/a%zzb",
    "/a%0d%0ab",
    "/a%3Fb?c=%2f",
    "/book/;a=b",
    "/%F0%9F%98%80/",
    "/releases/x",
]
LARGEST = 1024 * 1024


@pytest.fixture(scope="module")
def site(web, tmp_path_factory):
    """Return nginx in front of the product."""
    with proxy(tmp_path_factory.mktemp("nginx"), web) as nginx:
        yield nginx


@pytest.fixture
def before_echo(tmp_path):
    """Return nginx in front of a server that answers with what it gets, and that server."""
    with echo() as upstream, proxy(tmp_path, upstream.server_address[1]) as nginx:
        yield nginx, upstream


@pytest.mark.parametrize("path", RAW_PATHS)
def test_path_is_judged_as_it_was_sent(site, web, path):
    direct = fetch(web, path)
    assert site.fetch(path).status == direct.status


def test_pages_are_the_same(site, web):
    behind = site.fetch("/")
    assert behind.body == fetch(web, "/").body
    assert behind.headers["X-Amz-Meta-Release"]


def test_what_reaches_the_application(before_echo):
    nginx, _ = before_echo
    spoofed = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "http",
        "X_Forwarded_For": "a",
    }
    answer = nginx.fetch("/a%2fb/./c//d?e=%2f", headers=spoofed)
    reached = json.loads(answer.body)
    assert reached["path"] == "/a%2fb/./c//d?e=%2f"
    assert reached["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert reached["headers"]["x-forwarded-proto"] == "https"
    assert reached["headers"]["host"] == "localhost"
    assert "x_forwarded_for" not in reached["headers"]


def test_body_is_passed_on_when_it_is_whole(before_echo):
    nginx, upstream = before_echo
    head = (
        b"POST /book/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 6\r\n\r\n"
    )
    with nginx.send(head + b"a=b") as slow:
        assert nginx.fetch("/first").status == 200
        assert upstream.requests == ["/first"]
        slow.sendall(b"&c=")
        assert json.loads(receive(slow).partition(b"\r\n\r\n")[2])["body"] == "a=b&c="


def test_chunked_body_gets_a_length(before_echo):
    nginx, _ = before_echo
    answer = nginx.fetch("/", method="POST", body=iter([b"a=b", b"&c="]))
    reached = json.loads(answer.body)
    assert reached["headers"]["content-length"] == "6"
    assert reached["body"] == "a=b&c="


def test_connections_to_the_application_are_kept(before_echo):
    nginx, upstream = before_echo
    for _ in range(5):
        nginx.fetch("/")
    assert upstream.connections == 1


def test_stalled_viewers_do_not_reach_a_single_thread(installation, tmp_path):
    """gunicorn's own worker: one stalled request that reached it would stop it."""
    options = ["--worker-class=gthread", "--workers=1", "--threads=1"]
    with gunicorn(installation.environ, *options) as server, proxy(tmp_path, server.port) as nginx:
        kinds = [STALLED_HEAD, STALLED_BODY, ENDED] * 20
        connections = [nginx.send(kind) for kind in kinds]
        for path in ("/", "/healthz", "/static/site/site.css"):
            assert nginx.fetch(path).status == 200
        for connection in connections:
            connection.close()


def test_larger_body_is_refused(site):
    answer = site.fetch("/admin/login/", method="POST", body=b"a" * (LARGEST + 1))
    assert answer.status == 413
    assert answer.body == b"A request can have 1,024 KB. Send less text.\n"


def test_forms_with_photos_may_be_larger(site, settings):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    parts = b'--b\r\nContent-Disposition: form-data; name="photos"; filename="a.jpg"\r\n\r\n'
    body = parts + bytes(40 * LARGEST) + b"\r\n--b--\r\n"
    answer = site.fetch("/book/request/", method="POST", body=body, headers=headers)
    assert answer.status == 422
    head = b"POST /book/request/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
    with site.send(head % (settings.PHOTO_FORM_BYTES + 1)) as connection:
        refused = receive(connection)
    assert refused.startswith(b"HTTP/1.1 413 ")
    assert b"Your photos are too large together" in refused


def test_largest_body_reaches_the_application(site):
    assert site.fetch("/book/request/", method="POST", body=b"a" * LARGEST).status == 422


def test_archive_reaches_the_api_with_a_token_only(site, installation):
    made = installation.json(
        "tokens", "add", "--name=ci", "--environment=staging", "--allow=push", "--expires=1d"
    )
    for token, status, code in (("x", 401, "token-invalid"), (made["text"], 422, "upload-no-zip")):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/zip"}
        path = "/api/deployments/?action=push&environment=staging"
        answer = site.fetch(path, method="POST", body=b"a" * (5 * LARGEST), headers=headers)
        assert (answer.status, json.loads(answer.body)["code"]) == (status, code)


def test_limits_are_those_of_the_settings(settings):
    example = (ROOT / "docs/examples/nginx.conf").read_text()
    shown = [int(one) * 1024 * 1024 for one in re.findall(r"client_max_body_size (\d+)m;", example)]
    assert shown == [
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        settings.PHOTO_FORM_BYTES,
        settings.API_UPLOAD_BYTES,
    ]
    assert shown[0] == LARGEST


def test_ranges_and_conditions(site):
    (asset,) = re.findall(rb'src="(/assets/[^"]+)"', site.fetch("/track/x").body)[:1]
    whole = site.fetch(asset.decode())
    part = site.fetch(asset.decode(), headers={"Range": "bytes=5-9"})
    assert (part.status, part.body) == (206, whole.body[5:10])
    known = site.fetch(asset.decode(), headers={"If-None-Match": whole.headers["ETag"]})
    assert (known.status, known.body) == (304, b"")
    packed = site.fetch("/", headers={"Accept-Encoding": "br"})
    assert packed.headers["Content-Encoding"] == "br"


def test_plain_http_is_redirected(site):
    answer = fetch(site.plain, "/book/a%2fb?c=d")
    assert answer.status == 301
    assert answer.headers["Location"] == "https://localhost/book/a%2fb?c=d"


def test_logs_have_no_secrets(site):
    for path in SECRET_PATHS:
        site.fetch(path, headers={"Referer": f"https://localhost/track/{SECRET}"})
        fetch(site.plain, path)
    site.fetch("/book/?from=mail")
    assert_no_secrets(site.logs())
    assert " GET localhost /book/ 200 " in site.logs()["quickdumpnow.access.log"]


def test_application_that_is_down(tmp_path):
    with echo() as gone:
        port = gone.server_address[1]
    with proxy(tmp_path, port) as nginx:
        for path in SECRET_PATHS:
            answer = nginx.fetch(path)
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "10"
        assert b"Try again in a minute" in answer.body
        assert_no_secrets(nginx.logs())


def assert_no_secrets(logs):
    assert logs["quickdumpnow.access.log"].count("\n") >= len(SECRET_PATHS)
    for name, text in logs.items():
        assert SECRET not in text, name


def test_several_requests_on_one_connection(site):
    with closing(encrypted("localhost", site.port, timeout=DEADLINE)) as connection:
        for _ in range(3):
            connection.request("GET", "/healthz")
            assert connection.getresponse().read() == b"ok\n"
