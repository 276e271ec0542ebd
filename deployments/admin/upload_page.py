"""The page that pushes a ZIP archive to an environment."""

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from deployments.admin.deploy_pages import status_of
from deployments.admin.labels import actor_of
from deployments.admin.push_page import PushForm
from deployments.errors import DeploymentError
from deployments.models import Environment, Operation
from deployments.operations.archives import push_archive
from edge.errors import EdgeError

TEMPLATE = "admin/deployments/environment/upload.html"
UNPROCESSABLE = 422
# The web server takes no larger request than a form; what is not the archive has room too.
FORM_BYTES = 24 * 1024
LARGER = "Push larger ones with POST /api/deployments/, or put them into incoming/ of the bucket."


class UploadForm(PushForm):
    """An archive and the message of its release."""

    archive = forms.FileField(
        label="Archive",
        widget=forms.ClearableFileInput(attrs={"accept": ".zip"}),
        error_messages={"required": "Choose a ZIP archive."},
    )

    field_order = ["archive", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "archive"
        ].help_text = f"A ZIP of the built site, at most {_most() // 1024:,} KB. {LARGER}"

    def clean_archive(self) -> Any:
        """Refuse a file that is larger than the web server takes from a form."""
        file: Any = self.cleaned_data["archive"]
        if file.size > _most():
            most, found = f"{_most() // 1024:,} KB", f"{file.size // 1024:,} KB"
            raise forms.ValidationError(
                f"A form takes {most}, and the archive has {found}. {LARGER}"
            )
        return file


def upload_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any]
) -> HttpResponse:
    """Show the form; on a valid POST, start a push. Protected environments are promoted to."""
    if environment.protected:
        raise Http404
    form = UploadForm(request.POST or None, request.FILES or None)
    shown: dict[str, Any] = {"title": f"Upload an archive to {environment}", "form": form}
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            operation = _push(environment, form.cleaned_data, actor_of(request.user))
            address = "admin:deployments_environment_operation"
            return HttpResponseRedirect(reverse(address, args=[environment.pk, operation.pk]))
        except (DeploymentError, EdgeError) as error:
            shown["refusal"], status = error, status_of(error)
    elif form.errors:
        status = UNPROCESSABLE
    return TemplateResponse(request, TEMPLATE, {**context, **shown}, status=status)


def _push(environment: Environment, given: dict[str, Any], actor: str) -> Operation:
    """Start the push of an uploaded file. Raises Refused, EdgeError."""
    with NamedTemporaryFile(prefix="qdn-received-", suffix=".zip") as output:
        for chunk in given["archive"].chunks():
            output.write(chunk)
        output.flush()
        return push_archive(
            environment=environment,
            archive=Path(output.name),
            actor=actor,
            reason=given["reason"],
        )


def _most() -> int:
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE) - FORM_BYTES
