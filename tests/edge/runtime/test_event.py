"""The event of a viewer request."""

from edge.runtime.event import ViewerRequest, cookie_entries, query_entries, viewer_event


def test_event_has_cloudfronts_shape():
    event = viewer_event(
        uri="/a%20b",
        headers={"host": "localhost"},
        querystring="a=1",
        cookies="c=d",
        ip="192.0.2.1",
        request_id="7",
    )
    assert event == {
        "version": "1.0",
        "context": {
            "distributionDomainName": "local",
            "distributionId": "LOCAL",
            "eventType": "viewer-request",
            "requestId": "7",
        },
        "viewer": {"ip": "192.0.2.1"},
        "request": {
            "method": "GET",
            "uri": "/a%20b",
            "querystring": {"a": {"value": "1"}},
            "headers": {"host": {"value": "localhost"}},
            "cookies": {"c": {"value": "d"}},
        },
    }


def test_query_stays_encoded_and_keeps_repeated_names():
    assert query_entries("a=%20&b&a=2&&a=3=4") == {
        "a": {"value": "%20", "multiValue": [{"value": "%20"}, {"value": "2"}, {"value": "3=4"}]},
        "b": {"value": ""},
    }


def test_repeated_value_is_listed_twice():
    assert query_entries("a=1&a=1")["a"]["multiValue"] == [{"value": "1"}, {"value": "1"}]


def test_cookies():
    assert cookie_entries('a=1; b="x=y"; ; a=2') == {
        "a": {"value": "1", "multiValue": [{"value": "1"}, {"value": "2"}]},
        "b": {"value": '"x=y"'},
    }


def test_folded_header_cannot_imitate_another():
    request = ViewerRequest("/", (("a", "1\nhost"), ("host", "localhost")))
    assert request.flat()[4] == "\na\0001 host\nhost\0localhost\n"
