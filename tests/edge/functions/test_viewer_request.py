"""The shipped function in both engines, with the same cases."""

import dataclasses
import re

import pytest

from edge.functions.shipped import function_source
from edge.limits import CLOUDFRONT
from edge.runtime.njs import NjsRun, njs_command, run_in_njs
from edge.runtime.quickjs import EdgeFunction
from edge.runtime.results import Generated
from tests.edge.functions.access_cases import ACCESS_CASES
from tests.edge.functions.cases import CASES as OUR_CASES
from tests.edge.functions.cases import NOW, STORE, Case
from tests.edge.functions.site_cases import SITE_CASES

needs_njs = pytest.mark.skipif(
    njs_command() is None, reason="the njs command is not installed; Debian's package is `njs`"
)


CASES = [*OUR_CASES, *SITE_CASES, *ACCESS_CASES]


class CountingStore(dict):
    """A key-value store that counts its reads."""

    reads = 0

    def get(self, key, default=None):
        self.reads += 1
        return super().get(key, default)


@pytest.fixture(scope="module")
def function():
    return EdgeFunction(function_source())


@pytest.fixture(scope="module")
def from_njs():
    """Return the result of every case from one njs process."""
    runs = [NjsRun(event=case.event(), keyvalues=case.store, now=NOW) for case in CASES]
    return dict(zip(CASES_BY_ID, run_in_njs(function_source(), runs), strict=True))


CASES_BY_ID = {f"{number:03}-{case.name}": case for number, case in enumerate(CASES)}


def in_quickjs(function, case: Case):
    """Run a case, and return CloudFront's output object."""
    event = case.event()
    result = function.run(event, case.store, now=NOW)
    return result.raw if isinstance(result, Generated) else result.applied_to(event)


def check(case: Case, output):
    """Compare an output with what the case expects."""
    if case.uri:
        assert output.get("uri") == case.uri
        assert output["querystring"] == {}, "the query string reaches storage"
        token = output["headers"].get("x-tracking-token", {"value": ""})
        assert token["value"] == case.token
        return
    assert output.get("statusCode") == case.status, output.get("uri")
    headers = {name: entry["value"] for name, entry in output["headers"].items()}
    assert headers["cache-control"] == "no-store"
    assert headers.get("location", "") == case.location
    cookies = [f"{k}={v['value']}; {v['attributes']}" for k, v in output.get("cookies", {}).items()]
    assert cookies == list(case.sets)
    assert headers.get("x-robots-tag") == ("noindex, nofollow" if case.sets else None)
    if case.status == 401:
        # A browser asks for a password only where one would be accepted.
        assert ("www-authenticate" in headers) == (case.host != "staging.localhost")
    if case.status == 503:
        assert headers["retry-after"] == "120"
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert case.says in output["body"]


@pytest.mark.parametrize("case", CASES, ids=CASES_BY_ID)
def test_case_in_quickjs(case, function):
    check(case, in_quickjs(function, case))


@needs_njs
@pytest.mark.njs
@pytest.mark.parametrize("name", CASES_BY_ID)
def test_case_in_njs(name, from_njs):
    result = from_njs[name]
    assert result.error == ""
    check(CASES_BY_ID[name], result.output)


@needs_njs
@pytest.mark.njs
def test_engines_return_identical_results(function, from_njs):
    for name, case in CASES_BY_ID.items():
        assert from_njs[name].output == in_quickjs(function, case), name


# They look like another environment's, and are not.
READ_TWICE = {"/book-club/", "/track-record"}


@needs_njs
@pytest.mark.njs
def test_ordinary_request_reads_one_key(from_njs):
    ordinary = [
        name
        for name, case in CASES_BY_ID.items()
        if case.uri and not case.cookie and case.path not in READ_TWICE and "?" not in name
        if len(case.store) == 2 or case.store is STORE
    ]
    assert max(from_njs[name].reads for name in ordinary) == 1


@needs_njs
@pytest.mark.njs
def test_rules_are_in_two_more_keys(from_njs):
    assert max(from_njs[name].reads for name in CASES_BY_ID if "down" not in name) == 3


def test_ordinary_request_reads_one_key_in_quickjs():
    store = CountingStore(CASES[0].store)
    EdgeFunction(function_source()).run(CASES[0].event(), store, now=NOW)
    assert store.reads == 1


def test_asset_reads_no_key():
    store = CountingStore()
    event = Case("/assets/app.0123abcd.css").event()
    EdgeFunction(function_source()).run(event, store, now=NOW)
    assert store.reads == 0


def test_raw_control_characters_cannot_end_the_location(function):
    case = Case("/?release=live&a=b")
    event = case.event()
    event["request"]["querystring"]["a"]["value"] = "b\r\nset-cookie: x=1"
    location = function.run(event, case.store, now=NOW).raw["headers"]["location"]["value"]
    assert location == "/?a=b%0D%0Aset-cookie:%20x=1"


def test_viewer_without_a_host_is_answered(function):
    event = dataclasses.replace(Case("/"), host="x").event()
    del event["request"]["headers"]["host"]
    assert function.run(event, {}, now=NOW).status == 503


def test_source_fits_cloudfront():
    source = function_source()
    assert len(source.encode()) < CLOUDFRONT.function_source_bytes - 500, (
        "leave space for the next rule"
    )
    assert source.isascii()


def test_source_uses_only_the_runtimes_language():
    source = re.sub(r"//[^\n]*", "", function_source())
    for beyond in (r"\bclass\b", r"\beval\b", r"(const|let|var)\s*[\[{]", r"\?\.", r"setTimeout"):
        assert not re.search(beyond, source), beyond
