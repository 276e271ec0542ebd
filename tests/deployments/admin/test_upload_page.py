"""The page that pushes an archive in the admin."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from deployments.models import Operation
from tests.deployments.desks import run_tasks
from tests.deployments.operations.test_incoming import archive

pytestmark = pytest.mark.django_db


def address(environment):
    return reverse("admin:deployments_environment_upload", args=[environment.pk])


def upload(client, environment, content, reason="New prices"):
    form = {"reason": reason}
    if content is not None:
        form["archive"] = SimpleUploadedFile("site.zip", content, content_type="application/zip")
    return client.post(address(environment), form)


def test_archive_is_pushed(admin_client, backend, staging):
    page = admin_client.get(reverse("admin:deployments_environment_change", args=[staging.pk]))
    assert address(staging) in page.content.decode()
    assert 'type="file"' in admin_client.get(address(staging)).content.decode()
    answer = upload(admin_client, staging, archive())
    operation = Operation.objects.get()
    assert (answer.status_code, str(operation.pk) in answer["Location"]) == (302, True)
    run_tasks()
    release = staging.live.release
    assert (release.message, release.created_by) == ("New prices", "admin (admin)")
    assert "<title>A</title>" in backend.viewer.fetch("staging.localhost", "/").body.decode()


@pytest.mark.parametrize(
    ("content", "reason", "status", "text"),
    [
        (None, "New prices", 422, "Choose a ZIP archive."),
        (b"x", "", 422, "Enter a reason."),
        (b"text", "New prices", 409, "Expected a ZIP archive"),
        (bytes(1024 * 1024), "New prices", 422, "A form takes 1,000 KB"),
    ],
)
def test_refusals(admin_client, staging, content, reason, status, text):
    answer = upload(admin_client, staging, content, reason)
    assert answer.status_code == status
    assert text in answer.content.decode()
    assert not Operation.objects.exists()


def test_protected_and_frozen_environments(admin_client, staging, production):
    assert upload(admin_client, production, archive()).status_code == 404
    staging.freezes.create(reason="Holiday", actor="olga")
    answer = upload(admin_client, staging, archive())
    assert (answer.status_code, "Holiday" in answer.content.decode()) == (409, True)
    assert not Operation.objects.exists()
