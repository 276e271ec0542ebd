"""How many bytes a request has, found in any pieces of it."""

import pytest

from qdn.arriving_request import HEAD_BYTES, ArrivingRequest, RequestRefused, request_size

MOST = 1000
GET = b"GET /book/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /book/request/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\na=bc"


def size(data):
    return request_size(data, body_bytes=MOST)


def request(fields):
    return b"POST / HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n\r\n"


@pytest.mark.parametrize("whole", [GET, POST], ids=["GET", "POST"])
def test_request_is_whole_with_its_last_byte(whole):
    arriving = ArrivingRequest(b"", body_bytes=MOST, deadline=0)
    for number in range(len(whole)):
        assert not arriving.is_whole(), number
        arriving.add(whole[number : number + 1])
    assert arriving.is_whole()
    assert b"".join(arriving.content()) == whole


def test_next_request_may_have_begun():
    assert size(POST + GET) == len(POST)


@pytest.mark.parametrize(
    "field", [b"content-LENGTH:7", b"Content-Length: \t 7 \t", b"Content-Length: 007"]
)
def test_ways_to_write_a_length(field):
    head = request(field)
    assert size(head) == len(head) + 7


@pytest.mark.parametrize(
    "field",
    [
        b"Content-Length: -7",
        b"Content-Length: 7, 7",
        b"Content-Length: " + b"9" * 5000,
        b"Content-Length:",
        b"Content-Length : 7",
        b"X-Content-Length: 7",
    ],
)
def test_lengths_that_gunicorn_refuses_or_ignores_are_left_to_it(field):
    head = request(field)
    assert size(head) == len(head)


@pytest.mark.parametrize(
    ("data", "status", "text"),
    [
        (request(b"Content-Length: 1001"), "413", "can have 0 KB"),
        (request(b"Transfer-Encoding: chunked"), "411", "not in chunks"),
        (request(b"Content-Length: 4\r\ntransfer-encoding:gzip"), "411", "not in chunks"),
        (b"GET /" + b"a" * HEAD_BYTES, "431", "32 KB together"),
        (request(b"Cookie: " + b"a" * HEAD_BYTES), "431", "32 KB together"),
    ],
)
def test_refusals(data, status, text):
    with pytest.raises(RequestRefused, match=text) as refused:
        size(data)
    head, _, body = refused.value.answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %s " % status.encode())
    assert b"\r\nContent-Length: %d\r\n" % len(body) in head
    assert body.decode() == f"{refused.value}\n"


def test_largest_body_is_accepted():
    head = request(b"Content-Length: 1000")
    assert size(head) == len(head) + 1000


@pytest.mark.parametrize(("kilobytes", "seconds"), [(4, 1), (1000, 250), (5000, 270)])
def test_large_body_has_more_time(kilobytes, seconds):
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (kilobytes * 1024)
    request = ArrivingRequest(head, body_bytes=8 * 2**20, deadline=0)
    assert not request.is_whole()
    assert round(request.deadline) == seconds
