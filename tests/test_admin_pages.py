"""Every page of the admin opens for an operator."""

import pytest
from django.contrib import admin
from django.urls import reverse

pytestmark = pytest.mark.django_db
admin.autodiscover()
MODELS = [(model._meta.app_label, model._meta.model_name) for model in admin.site._registry]


@pytest.mark.parametrize(("app", "model"), MODELS)
def test_list_opens(admin_client, app, model):
    # A model of one row leads to that row.
    page = admin_client.get(reverse(f"admin:{app}_{model}_changelist"), follow=True)
    assert page.status_code == 200


def test_index_names_releases_and_jobs(admin_client):
    page = admin_client.get(reverse("admin:index")).content.decode()
    assert reverse("admin:deployments_deployment_changelist") in page
    assert reverse("admin:dispatch_job_changelist") in page


def test_history_can_be_read_and_not_written(admin_client):
    assert admin_client.get("/admin/deployments/deployment/add/").status_code == 403


def test_signing_in_leads_to_the_admin(client, admin_user):
    answer = client.post(reverse("admin:login"), {"username": "admin", "password": "password"})
    assert answer.headers["Location"] == reverse("admin:index")


def test_policy_of_the_admin_is_wider_only_where_the_theme_needs_it(client):
    admin, board = (
        dict(part.split(" ", 1) for part in client.get(path)["Content-Security-Policy"].split("; "))
        for path in ("/admin/login/", "/api/board")
    )
    assert "'unsafe-inline'" not in admin["script-src"]
    assert admin["frame-ancestors"] == "'none'"
    assert {name for name in admin if admin[name] != board.get(name)} == {"script-src", "style-src"}
