"""Push and promotion of single surfaces as services, without a command."""

import pytest

from deployments.context import Caller
from deployments.deploy.freezes import freeze
from deployments.errors import Refused
from deployments.models import Deployment, Release
from deployments.push import promote_surfaces, push
from deployments.routing.routes import read_route
from tests.deployments.sites import write_site


class Recorder:
    """A caller that records its questions and the states it reached, and gives one answer."""

    def __init__(self, answer=True):
        self.answer = answer
        self.events = []

    @property
    def caller(self):
        return Caller(
            actor="olga",
            confirm=self.confirm,
            reached=lambda state: self.events.append(("reached", state)),
        )

    def confirm(self, question):
        self.events.append(("confirm", question))
        if not self.answer:
            raise Refused("not-confirmed", "Not confirmed; nothing was changed.")

    @property
    def kinds(self):
        return [kind for kind, _ in self.events]


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def site(tmp_path):
    return write_site(tmp_path / "new", mark="new")


@pytest.fixture
def state(backend, staging, production):
    """Return a function that reads everything a push could change."""

    def read():
        return (
            list(Release.objects.values_list("name", "completed_at")),
            list(Deployment.objects.values_list("pk", "outcome__result")),
            {one.key: one.size for one in backend.objects.list("")},
            [read_route(backend.keyvalues, one).values for one in (staging, production)],
        )

    return read


def test_dry_run_changes_nothing(two, backend, production, site, recorder, state):
    before = state()
    pushed = push(backend, production, caller=recorder.caller, source=site, dry_run=True)
    assert (pushed.release, pushed.deployed) == (None, None)
    assert len(pushed.plan.manifest) == 6
    assert state() == before
    assert recorder.events == []


def test_dry_run_returns_a_known_release(two, backend, staging, operator, state):
    before = state()
    folder = operator.folder / "site-A"
    pushed = push(backend, staging, caller=operator.caller, source=folder, dry_run=True)
    assert pushed.release == two[0]
    assert state() == before


def test_push_to_an_environment_that_is_not_protected_asks_nothing(
    backend, staging, site, recorder
):
    push(backend, staging, caller=recorder.caller, source=site)
    assert recorder.kinds == ["reached"]


def test_push_to_a_protected_environment_asks_before_the_upload(
    backend, production, site, recorder
):
    pushed = push(backend, production, caller=recorder.caller, source=site)
    assert recorder.events == [
        ("confirm", "Deploy 6 files to production?"),
        ("reached", f"Release {pushed.release} is uploaded; production is unchanged."),
    ]
    assert production.live.release == pushed.release


def test_refused_confirmation_changes_nothing(two, backend, production, site, state):
    before = state()
    recorder = Recorder(answer=False)
    with pytest.raises(Refused) as refused:
        push(backend, production, caller=recorder.caller, source=site)
    assert refused.value.code == "not-confirmed"
    assert state() == before
    assert recorder.kinds == ["confirm"]


def test_caller_without_confirm_means_yes(backend, production, site):
    push(backend, production, caller=Caller(actor="olga"), source=site)
    assert production.live.actor == "olga"


def test_reached_is_called_between_upload_and_deployment(backend, staging, site, operator):
    seen = []

    def reached(state):
        release = Release.objects.get()
        seen.append((release.completed_at is not None, staging.live, release.name in state))

    push(backend, staging, caller=Caller(actor="olga", reached=reached), source=site)
    assert seen == [(True, None, True)]


def test_upload_without_deployment(two, backend, production, site, recorder):
    live = production.live
    pushed = push(backend, production, caller=recorder.caller, source=site, deploys=False)
    assert pushed.deployed is None
    assert pushed.release in Release.objects.complete()
    assert production.live == live
    assert recorder.kinds == ["reached"]


def test_frozen_environment_is_refused_before_the_upload(
    two, backend, staging, site, recorder, state
):
    freeze(environment=staging, reason="stock-taking", actor="otto")
    before = state()
    with pytest.raises(Refused) as refused:
        push(backend, staging, caller=recorder.caller, source=site)
    assert refused.value.code == "frozen"
    assert state() == before
    assert recorder.events == []


def test_frozen_environment_takes_an_upload(two, backend, staging, site, recorder):
    freeze(environment=staging, reason="stock-taking", actor="otto")
    pushed = push(backend, staging, caller=recorder.caller, source=site, deploys=False)
    assert pushed.release in Release.objects.complete()


# Promotion of single surfaces


@pytest.fixture
def promote_book(backend, staging, production):
    """Return a function that promotes the surface `book` from staging to production."""

    def promote(recorder, **options):
        return promote_surfaces(
            backend,
            surfaces=["book"],
            source=staging,
            to=production,
            caller=recorder.caller,
            **options,
        )

    return promote


def test_composed_release_as_a_canary(two, production, operator, recorder, promote_book):
    pushed = promote_book(recorder, percent=10)
    assert pushed.release not in two
    assert (production.live.release, production.canary.release) == (two[0], pushed.release)
    assert production.canary.percent == 10
    assert recorder.kinds == ["confirm", "reached"]
    assert [one.path for one in pushed.changes.differences] == ["book/index.html"]


def test_composed_release_for_all_viewers(two, production, operator, recorder, promote_book):
    pushed = promote_book(recorder)
    assert (production.live.release, production.canary) == (pushed.release, None)
    assert "<title>B" in operator.backend.viewer.fetch("localhost", "/book/").body.decode()
    assert "<title>A" in operator.backend.viewer.fetch("localhost", "/").body.decode()


def test_composing_dry_run_changes_nothing(two, recorder, promote_book, state):
    before = state()
    pushed = promote_book(recorder, percent=10, dry_run=True)
    assert (pushed.release, len(pushed.changes.differences)) == (None, 1)
    assert state() == before
    assert recorder.events == []


def test_refused_composition_changes_nothing(two, promote_book, state):
    before = state()
    with pytest.raises(Refused):
        promote_book(Recorder(answer=False), percent=10)
    assert state() == before


def test_composing_for_a_frozen_environment_is_refused(
    two, production, recorder, promote_book, state
):
    freeze(environment=production, reason="stock-taking", actor="otto")
    before = state()
    with pytest.raises(Refused) as refused:
        promote_book(recorder)
    assert refused.value.code == "frozen"
    assert state() == before
