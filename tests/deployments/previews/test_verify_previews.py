"""What `verify` reports about previews, and what repairs it."""

from io import StringIO

import pytest
from django.core.management import call_command

from deployments.models import BranchPreview
from deployments.previews import push_preview
from deployments.verification.verify import verify
from edge.backends.local.rows import RowKeyValueStore
from edge.errors import BackendUnavailable

KEY, OTHER = "host:feature-login.preview.localhost", "host:lost.preview.localhost"


def write(backend, **changes):
    backend.keyvalues.update(if_match=backend.keyvalues.etag(), puts={}, **changes)


def faults(backend, environment):
    drift = verify(backend, environment)["drift"]
    assert {one["code"] for one in drift} <= {"preview"}
    return [one["message"] for one in drift]


def repair():
    call_command("previews", "--repair", stdout=StringIO())


def test_a_preview_as_pushed_is_no_drift(preview, backend, staging, production):
    preview()
    assert faults(backend, staging) == faults(backend, production) == []


def test_a_missing_key_is_reported_where_the_preview_belongs(
    preview, backend, staging, production, operator
):
    shown = preview().release
    write(backend, deletes=[KEY])
    assert faults(backend, staging) == [f"{KEY} is missing; it shows the branch feature/login"]
    assert faults(backend, production) == []
    repair()
    assert faults(backend, staging) == []
    assert operator.served("feature-login.preview.localhost") == shown.name


def test_a_key_that_shows_another_release(preview, backend, staging, operator):
    first = preview().release
    second = operator.release("B")
    BranchPreview.objects.update(release=second)
    assert faults(backend, staging) == [
        f"{KEY} shows {first}, the last push of feature/login {second}"
    ]
    repair()
    assert operator.served("feature-login.preview.localhost") == second.name


@pytest.mark.parametrize("text", ['{"e":"moon","r":"x"}', "nonsense"])
def test_a_key_without_a_branch_is_unknown(preview, backend, staging, production, text):
    store = backend.keyvalues
    store.update(puts={OTHER: text}, if_match=store.etag())
    (fault,) = faults(backend, staging)
    assert fault.endswith("but belongs to no branch")
    assert faults(backend, production) == []
    repair()
    assert OTHER not in store.items()


def test_lost_rules_of_a_previewed_site(backend, staging, caller, tmp_path):
    for path in ("index.html", "about.html", "team.html"):
        (tmp_path / path).write_text("<title>page</title>")
    (tmp_path / "_redirects").write_text("/old /about\n")
    push_preview(backend, staging, branch="docs", caller=caller, source=tmp_path)
    rules = [key for key in backend.keyvalues.items() if key.startswith("rule:")]
    write(backend, deletes=rules)
    (fault,) = faults(backend, staging)
    assert fault.startswith("1 key of the site of docs are lost or wrong")
    repair()
    assert faults(backend, staging) == []


class Silent(RowKeyValueStore):
    def items(self):
        raise BackendUnavailable("no answer")


def test_a_store_that_does_not_answer_is_drift(preview, replaced, staging):
    preview()
    drift = verify(replaced(keyvalues=Silent()), staging)["drift"]
    assert {one["code"] for one in drift} == {"no-answer"}
