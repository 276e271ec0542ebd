"""Releases and deployments in the admin: listed, filtered, linked and read-only."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from deployments.models import Release


def listed(client, model, **query):
    """Return the rows of a list."""
    answer = client.get(reverse(f"admin:deployments_{model}_changelist"), query)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def page(client, row):
    name = f"admin:deployments_{row._meta.model_name}_change"
    answer = client.get(reverse(name, args=[row.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def three(operator):
    """A was live in production, B is, C is a canary there and live in staging."""
    releases = []
    for mark in "AB":
        releases.append(operator.push(mark))
        operator.promote()
    releases.append(operator.push("C"))
    operator.canary(25)
    return releases


def test_releases_show_where_they_are_live(admin_client, three):
    shown = {release.name: release.is_live_in for release in listed(admin_client, "release")}
    assert shown == {three[0].name: "", three[1].name: "production", three[2].name: "staging"}


def test_releases_by_state(admin_client, three, operator):
    first, second, third = three
    now = timezone.now()
    Release.objects.filter(pk=first.pk).update(removed_at=now, marked_at=now)
    Release.objects.filter(pk=second.pk).update(pinned=True)
    Release.objects.filter(pk=third.pk).update(marked_at=now)
    begun = Release.objects.create(
        name="20260101-000000-00000000", digest="0" * 64, files=1, bytes=1, created_by="olga"
    )
    for state, expected in {
        "live": [third, second],
        "complete": [third, second],
        "pinned": [second],
        "marked": [third],
        "removed": [first],
        "unfinished": [begun],
        "nonsense": [begun, third, second, first],
    }.items():
        assert listed(admin_client, "release", state=state) == expected, state


def test_deployments_by_environment_kind_and_result(admin_client, three, production):
    canary = production.canary
    assert listed(admin_client, "deployment", kind__exact="canary") == [canary]
    ours = listed(admin_client, "deployment", environment__id__exact=production.pk)
    assert {row.environment for row in ours} == {production}
    assert listed(admin_client, "deployment", result="unfinished") == []
    assert canary in listed(admin_client, "deployment", result="succeeded")
    found = listed(admin_client, "deployment", release__id__exact=three[0].pk)
    assert {row.release for row in found} == {three[0]}


def test_canary_shows_its_share(admin_client, three, production):
    assert "Canary 25%" in page(admin_client, production.canary)
    lists = admin_client.get(reverse("admin:deployments_deployment_changelist"))
    assert "Canary 25%" in lists.content.decode()


def test_release_and_deployment_lead_to_each_other(admin_client, three, production):
    deployment = production.live
    shown = page(admin_client, deployment)
    for row in (production, deployment.release, deployment.replaced):
        assert reverse(f"admin:deployments_{row._meta.model_name}_change", args=[row.pk]) in shown
    assert f"manage.py diff {deployment.replaced} {deployment.release}" in shown
    back = reverse("admin:deployments_deployment_change", args=[deployment.pk])
    assert back in page(admin_client, deployment.release)


def test_message_is_escaped(admin_client, three, production, operator):
    Release.objects.filter(pk=three[1].pk).update(message="<script>alert(1)</script>")
    shown = (
        page(admin_client, three[1])
        + admin_client.get(
            reverse("admin:deployments_environment_change", args=[production.pk])
        ).content.decode()
    )
    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_removed_release_shows_when(admin_client, three):
    Release.objects.filter(pk=three[0].pk).update(removed_at=timezone.now())
    shown = page(admin_client, three[0]).split("Removed at")[1]
    assert f"{timezone.localtime():%b. %-d, %Y}" in shown


@pytest.mark.parametrize("model", ["release", "deployment", "environment"])
def test_history_cannot_be_written(admin_client, three, production, model):
    row = {"release": three[0], "deployment": production.live, "environment": production}[model]
    name = f"admin:deployments_{model}"
    assert admin_client.get(reverse(f"{name}_add")).status_code == 403
    assert admin_client.post(reverse(f"{name}_add"), {}).status_code == 403
    assert admin_client.post(reverse(f"{name}_delete", args=[row.pk])).status_code == 403
    if model != "environment":  # which has no form at all
        assert admin_client.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 403


@pytest.mark.parametrize("model", ["release", "deployment"])
def test_lists_take_no_more_queries_as_they_grow(
    admin_client, three, operator, model, django_assert_max_num_queries
):
    with django_assert_max_num_queries(30) as few:
        listed(admin_client, model)
    for mark in "DEF":
        operator.push(mark)
    with django_assert_max_num_queries(len(few)):
        listed(admin_client, model)


@pytest.mark.parametrize("model", ["release", "deployment"])
@pytest.mark.parametrize("allowed", [True, False])
def test_history_needs_the_permission_to_view(client, django_user_model, db, model, allowed):
    user = django_user_model.objects.create_user("otto", password="x", is_staff=True)
    if allowed:
        user.user_permissions.add(Permission.objects.get(codename=f"view_{model}"))
    client.force_login(user)
    answer = client.get(reverse(f"admin:deployments_{model}_changelist"))
    assert answer.status_code == (200 if allowed else 403)
