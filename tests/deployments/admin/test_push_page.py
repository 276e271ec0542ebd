"""Pushing the surfaces from an environment's page."""

import pytest
from django.urls import reverse

from deployments.models import Environment, Operation
from tests.deployments.desks import lines, run_tasks

pytestmark = pytest.mark.django_db


def address(environment):
    return reverse("admin:deployments_environment_push", args=[environment.pk])


def test_push_deploys_the_surfaces(admin_client, backend, staging):
    answer = admin_client.post(address(staging), {"reason": "New prices"})
    operation = Operation.objects.get()
    assert answer.url.endswith(f"/operations/{operation.pk}/")
    run_tasks()
    operation.refresh_from_db()
    live = Environment.objects.get(name="staging").live
    assert (operation.state, operation.deployment) == ("done", live)
    assert (live.kind, live.reason, live.release.message) == ("push", "New prices", "New prices")
    assert lines(operation)[0] == "Build the surfaces"
    assert admin_client.get(answer.url).status_code == 200


def test_second_click_is_the_same_push(admin_client, staging):
    for _ in range(2):
        admin_client.post(address(staging), {"reason": "New prices"})
    assert Operation.objects.count() == 1


def test_refused_push_says_why(admin_client, backend, staging):
    staging.freezes.create(reason="Holidays", actor="olga")
    admin_client.post(address(staging), {"reason": "New prices"})
    run_tasks()
    operation = Operation.objects.get()
    assert (operation.state, operation.deployment) == ("failed", None)
    assert "Holidays" in lines(operation)[-1]


def test_push_needs_a_message(admin_client, staging):
    answer = admin_client.post(address(staging), {"reason": " "})
    assert answer.status_code == 422
    assert not Operation.objects.exists()


def test_protected_environment_is_promoted_to(admin_client, production):
    assert admin_client.get(address(production)).status_code == 404
    page = reverse("admin:deployments_environment_change", args=[production.pk])
    assert address(production) not in admin_client.get(page).content.decode()


def test_page_offers_the_push(admin_client, staging):
    page = reverse("admin:deployments_environment_change", args=[staging.pk])
    assert address(staging) in admin_client.get(page).content.decode()
    assert "Push to staging" in admin_client.get(address(staging)).content.decode()
