"""The commands hooks and tokens."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deployments.models import ApiToken, Hook

pytestmark = pytest.mark.django_db
HOOK = ("add", "--environment=staging", "--moment=after")
TOKEN = ("add", "--name=ci", "--environment=staging", "--allow=push", "--expires=90d")


def run(*arguments):
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def refusal(*arguments):
    with pytest.raises(CommandError) as refused:
        call_command(*arguments, stdout=StringIO())
    assert refused.value.returncode == 1
    return str(refused.value)


def test_hooks_are_added_listed_tried_and_removed():
    address = run("hooks", *HOOK, "--url=https://93.184.216.34/hook")
    assert address["secret"] == Hook.objects.get().secret
    assert run("hooks", *HOOK, "--command=true")["secret"] is None
    assert run("hooks", *HOOK, "--command=false", "--dry-run")["hook"] is None
    listed = run("hooks", "list", "--environment=staging")
    assert [one["target"] for one in listed] == ["https://93.184.216.34/hook", "true"]
    assert address["secret"] not in json.dumps(listed)
    assert run("hooks", "list", "--environment=production") == []
    command = str(listed[1]["hook"])
    assert run("hooks", "test", command) == {
        "hook": int(command),
        "ok": True,
        "detail": "Exit code 0.",
    }
    assert run("hooks", "list")[1]["last"] == "succeeded: Exit code 0."
    run("hooks", "remove", command, "--dry-run")
    assert Hook.objects.count() == 2
    run("hooks", "remove", command)
    assert Hook.objects.get().pk == address["hook"]


def test_hook_that_fails_its_try():
    hook = run("hooks", *HOOK, "--command=sh -c 'echo Broken; exit 2'")
    assert refusal("hooks", "test", str(hook["hook"])) == "The hook failed: Exit code 2. Broken"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("add", "--command=true"), "--moment"),
        (HOOK, "--command or --url"),
        ((*HOOK, "--command="), "a command with its arguments"),
        ((*HOOK, "--url=http://example.com/"), "https://"),
        ((*HOOK, "--command=" + "a" * 1001), "1,000"),
        (("remove",), "Add its number"),
        (("remove", "7"), "No hook has the number 7"),
        (("test", "7"), "No hook has the number 7"),
    ],
)
def test_hooks_refuses(arguments, text):
    assert text in refusal("hooks", *arguments)
    assert not Hook.objects.exists()


def test_tokens_are_made_listed_and_revoked():
    made = run("tokens", *TOKEN, "--environment=production", "--allow=promote")
    assert made["text"].startswith("qdn_")
    assert (made["environments"], made["actions"], made["state"]) == (
        ["production", "staging"],
        ["promote", "push"],
        "valid",
    )
    run("tokens", *TOKEN, "--dry-run")
    (listed,) = run("tokens", "list")
    assert made["text"] not in json.dumps(listed)
    number = str(listed["token"])
    assert run("tokens", "revoke", number, "--dry-run")["state"] == "valid"
    assert run("tokens", "revoke", number)["state"] == "revoked"
    first = ApiToken.objects.get().revoked_at
    assert run("tokens", "revoke", number)["state"] == "revoked"
    assert ApiToken.objects.get().revoked_at == first


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("add",), "--expires"),
        ((*TOKEN, "--environment=nowhere"), "No environment is called 'nowhere'"),
        ((*TOKEN, "--expires=400d"), "366 days"),
        ((*TOKEN, "--name=a\nb"), "printable"),
        (("revoke",), "Add its number"),
        (("revoke", "7"), "No token has the number 7"),
    ],
)
def test_tokens_refuses(arguments, text):
    assert text in refusal("tokens", *arguments)
    assert not ApiToken.objects.exists()
