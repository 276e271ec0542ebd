"""`invalidate`: paths are dropped where they are cached, and counted."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deployments.models import Distribution, Invalidation, Strategy
from edge.models import Invalidation as LocalInvalidation


@pytest.fixture
def live(operator):
    release = operator.push("A", extra=2)
    operator.promote()
    LocalInvalidation.objects.all().delete()  # the error page's, which stays counted
    return release


@pytest.fixture
def copied(live, operator, production):
    production.strategy = Strategy.COPY
    production.save()
    operator.promote(live)
    LocalInvalidation.objects.all().delete()


def invalidate(*paths, **options):
    out = StringIO()
    call_command("invalidate", *paths, json=True, stdout=out, **{"yes": True, **options})
    return json.loads(out.getvalue())


def refused(*paths, **options):
    with pytest.raises(CommandError) as failed:
        invalidate(*paths, **options)
    assert not LocalInvalidation.objects.exists()
    return failed.value.returncode, str(failed.value)


def dropped():
    return [path for row in LocalInvalidation.objects.order_by("number") for path in row.paths]


@pytest.mark.parametrize(
    ("path", "cached"),
    [
        ("/book/", "/releases/{}/book/index.html"),
        ("/", "/releases/{}/index.html"),
        ("/more/1.txt", "/releases/{}/more/1.txt"),
        ("/more/*", "/releases/{}/more/*"),
        ("/assets/site.0123456789ab.css", "/assets/site.0123456789ab.css"),
        ("/errors/404.html", "/errors/404.html"),
        ("/jobs/*", "/jobs/*"),
        ("/*", "/*"),
    ],
)
def test_path_is_dropped_where_the_function_rewrites_it_to(live, path, cached):
    answer = invalidate(path)
    assert dropped() == [cached.format(live)]
    assert (answer["invalidated"], answer["paths"]) == (1, 1)
    assert answer["cost"] == "1 path, $0.00 of 1,000 free (1 used this month)"


def test_page_is_dropped_under_every_address_by_copy(copied):
    assert invalidate("/book/", "/more/*")["invalidated"] == 4
    assert set(dropped()) == {"/book", "/book/", "/book/index.html", "/more/*"}


def test_every_distribution_gets_the_paths_that_it_routes(live, production):
    for name, paths in {"MAIN": ["/dashboard/*", "/book/*"], "ROOT": ["/book/*"]}.items():
        Distribution.objects.create(environment=production, remote_id=name, paths=paths)
    answer = invalidate("/*", "/errors/404.html")
    root = f"/releases/{live}"
    assert answer["distributions"] == {
        "MAIN": ["/errors/404.html", f"{root}/book/*", f"{root}/dashboard/*"],
        "ROOT": ["/errors/404.html", f"{root}/book/*"],
    }
    asked = Invalidation.objects.filter(reference__startswith="command-")
    assert list(asked.values_list("distribution", "paths")) == [
        ("MAIN", 3),
        ("ROOT", 2),
    ]


def test_dry_run_drops_nothing(live):
    out = StringIO()
    call_command("invalidate", "/book/", dry_run=True, stdout=out)
    assert "Would invalidate 1 path" in out.getvalue()
    assert dropped() == []


def test_repeated_command_is_another_request(live):
    invalidate("/book/")
    invalidate("/book/")
    assert len(dropped()) == 2
    assert "3 used this month" in invalidate("/book/", dry_run=True)["cost"]


def test_production_needs_a_confirmation(live):
    code, message = refused("/book/", yes=False)
    assert (code, "--yes" in message) == (1, True)


@pytest.mark.parametrize("path", ["book/", "/a*b", "/ü", "/a\nb", ""])
def test_malformed_paths_are_refused(live, path):
    assert refused(path)[0] == 1


def test_path_without_a_file_is_refused(live):
    code, message = refused("/nowhere")
    assert (code, "/nowhere" in message) == (1, True)


def test_path_that_no_distribution_routes_is_refused(live, production):
    Distribution.objects.create(environment=production, remote_id="MAIN", paths=["/book/*"])
    code, message = refused("/track/")
    assert (code, "/book/*" in message) == (1, True)


def test_too_many_wildcards_are_refused(copied):
    code, message = refused(*(f"/{number}/*" for number in range(16)))
    assert (code, "'/*' is one path" in message) == (1, True)


def test_environment_without_a_release_is_refused(backend):
    assert refused("/book/")[0] == 1


def test_unknown_environment_is_refused(live):
    assert refused("/book/", environment="moon")[0] == 1
