"""The error page: whose it is, and the default one of releases that have none."""

from io import StringIO

import pytest
from django.core.management import call_command

from deployments.deploy.targets import promote_target
from deployments.models import Environment, Strategy
from deployments.verification.verify import verify
from tests.deployments.sites import PAGES

DEFAULT = b"<title>Page not found"


@pytest.fixture(params=Strategy.values)
def by(request, production):
    production.strategy = request.param
    production.save()
    return request.param


@pytest.fixture
def bare(operator):
    """Return a function that makes a release without an error page."""

    def release(mark):
        pages = [page for page in PAGES if page != "404.html"]
        return operator.release_of(dict.fromkeys(pages, f"<!doctype html><title>{mark}"))

    return release


@pytest.fixture
def missing(backend):
    """Return a function that asks for a page that does not exist."""

    def ask(host="localhost"):
        answer = backend.viewer.fetch(host, "/no/such/page/")
        assert answer.status == 404
        return answer.body

    return ask


def test_release_without_an_error_page_gets_the_default_one(
    by, operator, bare, missing, backend, production
):
    operator.promote(bare("X"))
    assert DEFAULT in missing()
    assert verify(backend, production)["drift"] == []


def test_page_of_an_earlier_site_does_not_stay(by, operator, bare, missing, backend, production):
    operator.push("A")
    operator.promote()
    assert b"<title>A" in missing()
    operator.promote(bare("X"))
    assert DEFAULT in missing()
    operator.rollback()
    assert b"<title>A" in missing()
    operator.promote(bare("Y"))
    operator.promote(operator.push("B"))
    assert b"<title>B" in missing()
    assert verify(backend, production)["drift"] == []


@pytest.mark.parametrize("damage", ["lost", "changed"])
def test_damaged_default_page_is_reported_and_repaired(
    by, operator, bare, missing, backend, production, damage
):
    operator.promote(bare("X"))
    key = "errors/404.html" if by == Strategy.POINTER else "live/production/404.html"
    if damage == "lost":
        backend.objects.delete([key])
    else:
        backend.objects.put(key, b"other", content_type="text/html", cache_control="no-store")
    (drift,) = verify(backend, production)["drift"]
    assert drift["code"] == "error-page"
    assert key in drift["message"]
    out = StringIO()
    call_command(*drift["command"].split()[1:], stdout=out)
    assert f"Write the error page {key}" in out.getvalue()
    assert "Nothing to do" not in out.getvalue()
    assert DEFAULT in missing()
    assert verify(backend, production)["drift"] == []


def test_only_environment_has_its_own_page_until_production_is_live(operator, missing):
    operator.push("A")
    operator.push("B")
    assert b"<title>B" in missing("staging.localhost")
    operator.promote()
    operator.push("C")
    assert b"<title>B" in missing("staging.localhost")


def test_second_protected_environment_leaves_the_page_of_the_first(
    operator, missing, backend, production
):
    operator.push("A")
    operator.promote()
    other = Environment.objects.create(name="other", hosts=["other.localhost"], protected=True)
    release = operator.release("B")
    operator.deploy(promote_target(source=production, to=other, release=release, actor="olga"))
    assert b"<title>A" in missing()
    for environment in (production, other):
        assert verify(backend, environment)["drift"] == []


def test_canary_leaves_the_error_page(operator, bare, missing):
    operator.push("A")
    operator.promote()
    operator.canary(5, bare("X"))
    assert b"<title>A" in missing()
