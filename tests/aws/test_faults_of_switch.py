"""Whatever befalls a request of a switch: one whole release, and it can be ended."""

import json
from dataclasses import replace

import pytest

from deployments.models import Environment
from edge.backends.aws import clients
from edge.functions.shipped import function_name, function_source
from edge.routing import RoutingDocument
from tests.aws.conftest import next_command
from tests.aws.faults import ALL_KINDS, CASES, walk
from tests.aws.proxy import Fault, answering, hang, lose_answer, others_first

pytestmark = [pytest.mark.django_db, pytest.mark.every_step]


@pytest.fixture
def releases(shop):
    """Two releases that were both live in production."""
    names = []
    for mark in "AB":
        names.append(shop.push(mark))
        shop.promote()
    return names


@pytest.mark.parametrize(("kind", "lasting"), CASES)
def test_promotion(shop, proxy, releases, kind, lasting):
    requests, codes = walk(
        shop,
        proxy,
        "production",
        lambda number: ("promote", "--release", releases[number % 2 - 1], "--yes"),
        lambda number: Fault(number, kind(number), lasting),
    )
    assert requests > 15
    assert codes & {3, 4} or not lasting


# Each request meets two kinds of faults: one once, another from then on.
@pytest.mark.parametrize(("first", "lasting"), [(2, False), (0, True)])
def test_rollback(shop, proxy, releases, first, lasting):
    """The same way as a promotion; the kinds of faults take turns."""
    requests, _ = walk(
        shop,
        proxy,
        "production",
        lambda number: ("rollback", releases[number % 2 - 1], "--yes"),
        lambda number: Fault(number, ALL_KINDS[(number + first) % 4], lasting),
    )
    assert requests > 15


@pytest.mark.parametrize(("first", "lasting"), [(0, False), (1, True)])
def test_publishing_a_function(aws, shop, proxy, releases, ship_function, first, lasting):
    newer = ""

    def command(number):
        nonlocal newer
        newer = f"{function_source()}\n// {number}\n"
        ship_function(newer)
        return "push_functions", "--environment", "staging", "--yes"

    requests, codes = walk(
        shop,
        proxy,
        "staging",
        command,
        lambda number: Fault(number, ALL_KINDS[(number + first) % 4], lasting),
    )
    assert requests > 20
    assert 4 in codes or not lasting
    assert aws.live_function(function_name("staging")) == newer


def writes_keys(request):
    return request.writes_keys


def put_keys(aws, **puts):
    """Write the store as somebody else."""
    etag = aws.keyvalues.describe_key_value_store(KvsARN=aws.arn)["ETag"]
    items = [{"Key": key, "Value": value} for key, value in puts.items()]
    aws.keyvalues.update_keys(KvsARN=aws.arn, IfMatch=etag, Puts=items)


def test_write_that_does_not_concern_us_is_read_again_and_decided_again(aws, shop, proxy, releases):
    proxy.clear(Fault(1, others_first(lambda: put_keys(aws, other="1")), when=writes_keys))
    assert shop.run("rollback", "--yes")["release"] == releases[0]
    updates = [json.dumps(json.loads(r.body)) for r in proxy.seen if r.writes_keys]
    assert len(updates) == 2  # the second with the newer ETag
    assert shop.served("localhost") == {releases[0]}
    assert aws.values()["other"] == "1"


def test_switch_by_another_process_is_left_alone(aws, shop, proxy, releases):
    third = shop.push("C")
    document = RoutingDocument("production", releases[0], releases[1]).to_json()
    hosts = Environment.objects.get(name="production").hosts
    theirs = dict.fromkeys(["env:production", *(f"host:{host}" for host in hosts)], document)
    proxy.clear(Fault(1, others_first(lambda: put_keys(aws, **theirs)), when=writes_keys))
    code, message = shop.attempt("promote", "--yes")
    assert (code, "another run" in message) == (3, True)
    assert shop.served("localhost") == {releases[0]}
    assert shop.promote()["release"] == third


def test_store_that_always_changes_ends_with_exit_code_3(aws, shop, proxy, releases):
    busy = others_first(lambda: put_keys(aws, other="1"))
    proxy.clear(Fault(1, busy, lasting=True, when=writes_keys))
    assert shop.attempt("rollback", "--yes")[0] == 3
    assert shop.served("localhost") == {releases[1]}


def test_throttled_write_is_sent_again(shop, proxy, releases):
    proxy.clear(Fault(1, answering(503, "SlowDown"), when=writes_keys))
    assert shop.run("rollback", "--yes")["release"] == releases[0]


def test_write_whose_answer_was_lost_is_not_sent_again(shop, proxy, releases):
    proxy.clear(Fault(1, lose_answer, when=writes_keys))
    code, message = shop.attempt("rollback", "--yes")
    updates = [json.loads(r.body)["Puts"] for r in proxy.seen if r.writes_keys]
    assert code == 4
    assert len({json.dumps(puts, sort_keys=True) for puts in updates}) == len(updates)
    proxy.clear()
    shop.run(*next_command(message))
    assert shop.served("localhost") == {releases[0]}


def test_write_that_was_done_and_timed_out_is_read_back(shop, proxy, monkeypatch):
    monkeypatch.setattr(clients, "PATIENCE", replace(clients.PATIENCE, read_seconds=1))
    release = shop.push("A")
    proxy.clear(Fault(1, hang, when=writes_keys))
    code, message = shop.attempt("promote", "--yes")
    proxy.clear()
    assert code == 4, message
    shop.run(*next_command(message))
    assert shop.served("localhost") == {release}


def test_function_staged_by_another_process_is_not_published(
    aws, shop, proxy, releases, ship_function
):
    name = function_name("staging")
    theirs = b"function handler(event) { return event.request; }"

    def stage_theirs():
        found = aws.cloudfront.describe_function(Name=name, Stage="DEVELOPMENT")
        aws.cloudfront.update_function(
            Name=name,
            IfMatch=found["ETag"],
            FunctionConfig=found["FunctionSummary"]["FunctionConfig"],
            FunctionCode=theirs,
        )

    newer = function_source() + "\n// newer\n"
    ship_function(newer)
    publishing = Fault(
        1, others_first(stage_theirs), when=lambda request: request.path.endswith("/publish")
    )
    proxy.clear(publishing)
    code, message = shop.attempt("push_functions", "--environment", "staging", "--yes")
    proxy.clear()
    assert publishing.met
    assert code in (3, 4), message
    assert aws.live_function(name) == function_source()
    assert shop.served("staging.localhost") == {releases[1]}
    shop.run("push_functions", "--environment", "staging", "--yes")
    assert aws.live_function(name) == newer
