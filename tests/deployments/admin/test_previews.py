"""Branch previews in the admin: listed, compared with production, removed."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from deployments.context import Caller
from deployments.models import BranchPreview
from deployments.previews import push_preview
from tests.deployments.sites import write_site

LIST = reverse("admin:deployments_branchpreview_changelist")


@pytest.fixture
def preview(backend, staging, tmp_path):
    source = write_site(tmp_path / "branch", mark="branch", extra=1)
    push_preview(backend, staging, branch="a/b", caller=Caller(actor="olga"), source=source)
    return BranchPreview.objects.get()


def page(client, preview):
    return client.get(reverse("admin:deployments_branchpreview_change", args=[preview.pk]))


def test_a_list_with_addresses_leads_to_the_changes(admin_client, preview, operator):
    operator.push("A")
    operator.promote()
    listed = admin_client.get(LIST).content.decode()
    assert 'href="http://a-b.preview.localhost:8000/"' in listed
    assert reverse("admin:deployments_branchpreview_change", args=[preview.pk]) in listed
    shown = page(admin_client, preview).content.decode()
    assert "more/0.txt" in shown
    assert "1 file added, 5 changed" in shown


def test_without_anything_live_the_page_says_so(admin_client, preview):
    answer = page(admin_client, preview)
    assert (answer.status_code, b"production serves no release yet" in answer.content) == (
        409,
        True,
    )


def test_removal_needs_the_permission_to_deploy_to_staging(
    client, django_user_model, preview, backend
):
    user = django_user_model.objects.create_user("gus", is_staff=True)
    client.force_login(user)
    assert client.get(LIST).status_code == 403
    remove = {"action": "remove_previews", "_selected_action": [preview.pk]}
    user.user_permissions.add(Permission.objects.get(codename="view_environment"))
    client.post(LIST, remove)
    assert BranchPreview.objects.exists()
    user.user_permissions.add(Permission.objects.get(codename="deploy_to_staging"))
    answer = client.post(LIST, remove, follow=True)
    assert "The preview of a/b has ended." in answer.content.decode()
    assert not BranchPreview.objects.exists()
    assert "host:a-b.preview.localhost" not in backend.keyvalues.items()
