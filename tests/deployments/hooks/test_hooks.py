"""Hooks are called before and after deployments; the address is a real server on this machine."""

import hashlib
import hmac
import os
from datetime import timedelta
from ipaddress import ip_address

import pytest
from django_q.models import OrmQ
from redis.exceptions import ConnectionError as RedisConnectionError

from deployments import tasks
from deployments.errors import PartlyChanged, Refused
from deployments.hooks import deliver
from deployments.hooks.address import check_address, is_public, post
from deployments.hooks.keep import add_hook, remove_hook, try_hook
from deployments.models import DeployLock, Deployment, Environment, Hook, HookRun, Strategy
from edge.errors import BackendUnavailable
from tests.deployments.deploy.test_deploy import Astray
from tests.deployments.doubles import Counting
from tests.deployments.hooks.receiver import receiver
from tests.server.nginx import free_port

pytestmark = pytest.mark.django_db
BEFORE, AFTER, FAILED = Hook.Moment.BEFORE, Hook.Moment.AFTER, Hook.Moment.FAILED
A_DAY = timedelta(days=1)


@pytest.fixture
def server(settings):
    settings.DEBUG = True  # allows http to this machine
    with receiver() as server:
        yield server


@pytest.fixture
def hook(production):
    """Return a function that adds a hook to production: a command, or an address."""

    def hook(moment, *, command="", url=""):
        kind = Hook.Kind.COMMAND if command else Hook.Kind.ADDRESS
        return add_hook(
            environment=production, moment=moment, kind=kind, target=command or url, actor="olga"
        )

    return hook


def work():
    """Run the queued tasks of hooks, as a cluster does."""
    for queued in OrmQ.objects.filter(key="quickdumpnow"):
        assert queued.task["func"] == deliver.TASK
        queued.delete()
        tasks.call_hook(*queued.task["args"])


def log():
    return [(run.attempt, run.status) for run in HookRun.objects.order_by("pk")]


# Addresses


def test_address_is_called_after_a_deployment_and_signed(operator, hook, server):
    first = operator.push("A")
    hook(AFTER, url=server.url)
    operator.promote()
    assert server.requests == []  # the deployment has not waited for it
    work()
    (path, headers, body), (payload,) = server.requests[0], server.payloads
    assert path == "/hook?key=1"
    signed = headers["X-QDN-Timestamp"].encode() + b"." + body
    expected = hmac.new(Hook.objects.get().secret.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-QDN-Signature"] == f"sha256={expected}"
    assert headers["X-QDN-Delivery"] == str(HookRun.objects.get().delivery)
    assert {**payload, "at": ""} == {
        "event": "after",
        "at": "",
        "environment": "production",
        "url": "http://localhost:8000/",
        "release": first.name,
        "previous": None,
        "kind": "promote",
        "percent": None,
        "actor": "olga",
        "reason": "",
        "commit": None,
        "branch": None,
        "author": None,
        "message": "A",
        "deployment": Deployment.objects.last().pk,
        "result": "succeeded",
        "detail": "",
    }
    assert log() == [(1, "succeeded")]


def test_address_that_fails_twice_is_called_until_it_answers(
    operator, hook, server, database_clock
):
    operator.push("A")
    hook(AFTER, url=server.url)
    server.statuses = [500, 302]
    operator.promote()
    work()
    deliver.enqueue_due()
    assert len(server.requests) == 1  # not yet
    for _ in range(3):
        database_clock.shift(A_DAY)
        deliver.enqueue_due()
        work()
    assert log() == [(1, "failed"), (2, "failed"), (3, "succeeded")]
    first, second, _ = HookRun.objects.order_by("pk")
    assert first.detail == "Status 500. noted"
    assert "302 (redirects are not followed)" in second.detail
    assert len({headers["X-QDN-Delivery"] for _, headers, _ in server.requests}) == 1
    assert {path for path, _, _ in server.requests} == {"/hook?key=1"}


def test_five_attempts_are_made_and_no_more(operator, hook, server, settings, database_clock):
    settings.DEBUG, settings.HOOKS_PRIVATE_ADDRESSES = True, True
    operator.push("A")
    hook(AFTER, url=f"https://127.0.0.1:{free_port()}/")
    operator.promote()
    for _ in range(7):
        work()
        database_clock.shift(A_DAY)
        deliver.enqueue_due()
    assert log() == [(number, "failed") for number in range(1, 6)]
    assert deliver.forget() == 0
    database_clock.shift(100 * A_DAY)
    assert deliver.forget() == 5


def test_attempt_whose_task_was_killed_is_followed_by_the_next(
    operator, hook, server, database_clock
):
    operator.push("A")
    hook(AFTER, url=server.url)
    operator.promote()
    OrmQ.objects.filter(key="quickdumpnow").delete()
    run = HookRun.objects.get()
    assert deliver._begin(run)  # then the process is killed
    tasks.call_hook(run.pk)  # the queue delivers the task again
    assert server.requests == []
    database_clock.shift(A_DAY)
    tasks.resume()
    work()
    assert log() == [(1, "begun"), (2, "succeeded")]


def test_queue_that_is_down_does_not_fail_a_deployment(
    operator, hook, server, monkeypatch, database_clock
):
    def refuse(*args, **kwargs):
        raise RedisConnectionError("Error 111 connecting to redis:6379. Connection refused.")

    operator.push("A")
    hook(AFTER, url=server.url)
    with monkeypatch.context() as patched:
        patched.setattr(deliver, "async_task", refuse)
        assert operator.promote().deployment.outcome.result == "succeeded"
    database_clock.shift(A_DAY)
    deliver.enqueue_due()
    work()
    assert log() == [(1, "succeeded")]


def test_failed_deployment_calls_the_hooks_for_failures(operator, hook, server, replaced):
    operator.push("A")
    hook(AFTER, url=server.url)
    hook(FAILED, url=server.url)
    operator.backend = replaced(viewer=Astray(operator.backend.viewer))
    with pytest.raises(Refused, match="does not serve"):
        operator.promote()
    work()
    (payload,) = server.payloads
    assert (payload["event"], payload["result"]) == ("failed", "restored")
    assert "does not serve" in payload["detail"]


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://example.com/", "https://"),
        ("http://127.0.0.1/", "https://"),
        ("ftp://example.com/", "https://"),
        ("https://10.0.0.1/", "10.0.0.1 is not a public address"),
        ("https://169.254.169.254/latest", "169.254.169.254 is not"),
        ("https://[::1]/", "::1 is not"),
        ("https://[::ffff:10.0.0.1]/", "is not a public"),
        ("https://2130706433/", "127.0.0.1 is not"),
        ("https://localhost/", "is not a public"),
        ("https://user:password@example.com/", "user name"),
        ("https://example.com:99999/", "range"),
        ("https://exa mple.com/", "characters"),
        ("https://example.com/\r\nX-Header: 1", "characters"),
        ("", "https://"),
    ],
)
def test_addresses_that_are_refused(url, fault):
    with pytest.raises(Refused, match=fault) as refused:
        check_address(url)
    assert refused.value.code == "hook-address"


PRIVATE = (
    "127.0.0.1 192.168.1.1 100.64.0.1 0.0.0.0 224.0.0.1 fe80::1 fd00::1 :: 64:ff9b::a00:1 "
    "2002:a00:1:: ::ffff:127.0.0.1"
)


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private_addresses(address):
    assert not is_public(ip_address(address))


def test_public_addresses():
    assert is_public(ip_address("93.184.216.34"))
    assert is_public(ip_address("2606:2800:220:1::1"))


def test_setting_allows_private_addresses_over_https_only(settings):
    settings.HOOKS_PRIVATE_ADDRESSES = True
    check_address("https://10.0.0.1/")
    with pytest.raises(Refused, match="https://"):
        check_address("http://10.0.0.1/")


def test_address_is_checked_again_with_each_call(operator, hook, server, settings):
    operator.push("A")
    hook(AFTER, url=server.url)
    operator.promote()
    settings.DEBUG = False
    work()
    assert server.requests == []
    assert "https://" in HookRun.objects.first().detail


def test_certificate_is_checked(settings, server):
    settings.HOOKS_PRIVATE_ADDRESSES = True
    answer = post(server.url.replace("http:", "https:"), b"{}", {}, seconds=5)
    assert not answer.ok


def test_server_that_never_answers_is_left(server):
    server.statuses = ["silent"]
    answer = post(server.url, b"{}", {}, seconds=0.3)
    assert (answer.ok, answer.detail) == (False, "No answer within 0.3 s")


def test_long_answers_are_read_in_part(server):
    server.text = b"a" * 5_000_000
    answer = post(server.url, b"{}", {}, seconds=30)
    assert answer.ok
    assert len(answer.detail) == 500


# Commands


def test_command_gets_the_event_and_none_of_our_secrets(operator, hook, monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "of-the-installation")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-cloud")
    release = operator.push("A")
    seen = tmp_path / "seen"
    hook(AFTER, command=f"sh -c 'cat > {seen}; env >> {seen}'")
    operator.promote()
    work()
    text = seen.read_text()
    assert log() == [(1, "succeeded")], HookRun.objects.get().detail
    assert f'"release": "{release}"' in text
    assert f"QDN_RELEASE={release}\n" in text
    assert "QDN_RESULT=succeeded\n" in text
    assert "of-the" not in text
    inherited = {line.partition("=")[0] for line in text.splitlines() if "=" in line}
    assert not {name for name in inherited if name.startswith(("AWS", "DJANGO", "SECRET"))}


def test_command_that_agrees_lets_the_deployment_begin(operator, hook, production):
    release = operator.push("A")
    hook(BEFORE, command="sh -c 'test $QDN_EVENT = before && test -n \"$QDN_RELEASE\"'")
    operator.promote()
    assert production.live.release == release
    assert log() == [(1, "succeeded")]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("sh -c 'echo Not on Fridays; exit 3'", "Exit code 3. Not on Fridays"),
        ("sh -c 'sleep 60 & sleep 60'", "Ended after 0.5 s"),
        ("/nowhere/command", "No such file"),
        ("sh -c 'yes; true'", r"Ended after 0\.\d s"),
    ],
)
def test_command_that_refuses_changes_nothing(operator, hook, production, settings, command, why):
    settings.HOOK_SECONDS = 0.5
    first = operator.push("A")
    operator.promote()
    operator.push("B")
    hook(BEFORE, command=command)
    before = operator.backend.keyvalues.etag()
    with pytest.raises(Refused, match=why) as refused:
        operator.promote()
    assert refused.value.code == "hook-refused"
    assert operator.backend.keyvalues.etag() == before
    assert production.deployments.count() == 1
    assert production.live.release == first
    assert not DeployLock.objects.exists()
    assert log() == [(1, "failed")]
    remove_hook(Hook.objects.get(), actor="olga")
    operator.promote()


@pytest.mark.parametrize("status", [500, 404, 301])
def test_address_that_refuses_changes_nothing(operator, hook, server, production, status):
    operator.push("A")
    hook(BEFORE, url=server.url)
    server.statuses = [status]
    with pytest.raises(Refused, match=f"Status {status}"):
        operator.promote()
    assert production.deployments.count() == 0
    assert len(server.requests) == 1
    operator.promote()
    assert production.deployments.count() == 1
    assert [payload["event"] for payload in server.payloads] == ["before"] * 2


def test_killed_command_takes_its_processes_along(hook, settings, backend, production, tmp_path):
    settings.HOOK_SECONDS = 0.5
    pid = tmp_path / "pid"
    answer = try_hook(
        backend, hook(AFTER, command=f"sh -c 'sleep 60 & echo $! > {pid}; wait'"), actor="olga"
    )
    assert not answer.ok
    with pytest.raises(ProcessLookupError):
        _signal_until_gone(int(pid.read_text()))


def _signal_until_gone(pid):
    """Raise ProcessLookupError once a process has ended, zombie or not."""
    for _ in range(1000):
        with open(f"/proc/{pid}/stat") as stat:
            if stat.read().split()[2] == "Z":
                raise ProcessLookupError
        os.kill(pid, 0)


@pytest.mark.parametrize("command", ["", "   ", "'unclosed"])
def test_commands_that_are_refused(production, command):
    with pytest.raises(Refused) as refused:
        add_hook(
            environment=production, moment=BEFORE, kind="command", target=command, actor="olga"
        )
    assert refused.value.code == "hook-command"


def test_inactive_hooks_and_those_of_others_are_not_called(operator, hook, staging):
    operator.push("A")
    hook(BEFORE, command="false")
    Hook.objects.update(active=False)
    add_hook(environment=staging, moment=BEFORE, kind="command", target="false", actor="olga")
    operator.promote()
    assert log() == []
    assert Environment.objects.get(name="production").live


def test_resumed_copy_is_finished_without_another_question(
    operator, hook, production, backend, replaced
):
    Environment.objects.filter(pk=production.pk).update(strategy=Strategy.COPY)
    operator.push("A")
    operator.promote()
    second = operator.push("B")
    hook(BEFORE, command="true")

    class Failing(Counting):
        def copy(self, source, target, **kwargs):
            if target.endswith("book/index.html"):
                raise BackendUnavailable("503 SlowDown")
            return backend.objects.copy(source, target, **kwargs)

    operator.backend = replaced(objects=Failing(backend.objects))
    with pytest.raises(PartlyChanged):
        operator.promote()
    Hook.objects.update(target="false")
    operator.backend = backend
    operator.promote(second)
    assert operator.served() == second.name
    assert log() == [(1, "succeeded")]
