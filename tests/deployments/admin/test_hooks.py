"""Hooks in the admin: addresses by those who may deploy there, commands by superusers."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from deployments.hooks.keep import add_hook
from deployments.models import Hook

pytestmark = pytest.mark.django_db
ADD = "/admin/deployments/hook/add/"
ADDRESS = {"moment": "after", "kind": "address", "target": "https://93.184.216.34/", "active": "on"}


@pytest.fixture
def stager(client):
    """A client of a user who may deploy to staging only."""
    user = User.objects.create_user("stager", is_staff=True)
    names = ["view_environment", "deploy_to_staging"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


def page(hook):
    return reverse("admin:deployments_hook_change", args=[hook.pk])


def test_address_is_added_and_its_secret_shown_once(stager, staging):
    answer = stager.post(ADD, {"environment": staging.pk, **ADDRESS}, follow=True)
    hook = Hook.objects.get()
    assert (hook.environment, hook.created_by) == (staging, "stager (admin)")
    assert hook.secret in answer.content.decode()
    first = hook.secret
    answer = stager.post(
        page(hook), {"environment": staging.pk, **ADDRESS, "moment": "before"}, follow=True
    )
    hook.refresh_from_db()
    assert (hook.moment, hook.secret) == ("before", first)
    assert first not in answer.content.decode()
    assert first not in stager.get(page(hook)).content.decode()


def test_command_is_entered_by_superusers_only(stager, admin_client, staging):
    command = {"environment": staging.pk, **ADDRESS, "kind": "command", "target": "true"}
    for answer in (stager.get(ADD), stager.post(ADD, command)):
        assert 'value="command"' not in answer.content.decode()
    assert not Hook.objects.exists()
    assert admin_client.post(ADD, command).status_code == 302
    hook = Hook.objects.get()
    assert stager.post(page(hook), {**command, "target": "false"}).status_code == 403
    assert stager.post(page(hook), {"environment": staging.pk, **ADDRESS}).status_code == 403
    hook.refresh_from_db()
    assert (hook.kind, hook.target) == ("command", "true")


def test_hooks_of_other_environments_stay_out_of_reach(stager, staging, production):
    target = {"moment": "after", "kind": "command", "target": "true", "actor": "olga"}
    theirs = add_hook(environment=production, **target)
    add_hook(environment=staging, **target)
    shown = stager.get("/admin/deployments/hook/").content.decode()
    assert re.findall(r"Hook (\d+)", shown) == [str(theirs.pk + 1)]
    stager.post(ADD, {"environment": production.pk, **ADDRESS})
    stager.post(page(theirs), {"environment": staging.pk, **ADDRESS})
    assert set(Hook.objects.values_list("environment__name", "kind")) == {
        ("production", "command"),
        ("staging", "command"),
    }


def test_target_that_cannot_be_called_is_refused(stager, staging):
    wanted = {"environment": staging.pk, **ADDRESS, "target": "https://169.254.169.254/"}
    assert "not a public address" in stager.post(ADD, wanted).content.decode()
    assert not Hook.objects.exists()
