"""Photos on the job page, and the page where staff add and remove them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from dispatch.admin.moving import actor_of
from dispatch.errors import DispatchError, ValueRefused
from dispatch.models import Job, Photo
from dispatch.photos.fields import PhotosField
from dispatch.photos.intake import MOST_BYTES, MOST_PHOTOS, ReadyPhoto, check_count
from dispatch.photos.serving import photo_url
from dispatch.photos.storing import add_photos, remove_photos


class JobPhotosForm(forms.Form):
    """Photos to remove and photos to add. The page draws a check box at each photo."""

    remove = forms.ModelMultipleChoiceField(queryset=Photo.objects.none(), required=False)
    photos = PhotosField(
        label="Add photos",
        required=False,
        help_text=(
            f"JPEG, PNG, WebP or HEIC, at most {MOST_BYTES // 2**20} MB each. "
            f"A job can have {MOST_PHOTOS}, and its crew adds others."
        ),
    )

    def __init__(self, *args: Any, job: Job, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._job = job
        chosen: Any = self.fields["remove"]
        chosen.queryset = Photo.objects.filter(job=job)

    def clean_photos(self) -> list[ReadyPhoto]:
        """Check how many there would be, before any is removed."""
        photos: list[ReadyPhoto] = self.cleaned_data["photos"]
        removed = [photo.pk for photo in self.cleaned_data.get("remove", [])]
        left = Photo.objects.filter(job=self._job, stage="").exclude(pk__in=removed).count()
        try:
            check_count(left + len(photos))
        except ValueRefused as refusal:
            raise ValidationError(str(refusal)) from None
        return photos

    def save(self, *, job: Job, actor: str) -> None:
        """Remove and add. Raises DispatchError."""
        remove_photos(job=job, photos=list(self.cleaned_data["remove"]), actor=actor)
        add_photos(job=job, photos=self.cleaned_data["photos"], actor=actor)


class PhotosAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """The photos of a job: small ones on its page, and a page of their own."""

    @admin.display(description="Photos")
    def photo_strip(self, job: Job) -> SafeString:
        context = {"photos": shown_photos(job), "page": _page_of(job)}
        return render_to_string("dispatch/photo_strip.html", context)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.photos_view)
        urls: list[URLPattern] = super().get_urls()
        return [path("<int:pk>/photos/", view, name="dispatch_job_photos"), *urls]

    def photos_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a job's photos; add and remove some on POST."""
        job = get_object_or_404(Job, pk=pk)
        may_change = self.has_change_permission(request, job)
        if not (may_change or (request.method != "POST" and self.has_view_permission(request))):
            raise PermissionDenied
        is_post = request.method == "POST"
        form = JobPhotosForm(*(request.POST, request.FILES) if is_post else (), job=job)
        if is_post and form.is_valid() and self._saved(request, job, form):
            return HttpResponseRedirect(reverse("admin:dispatch_job_change", args=[pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Photos of {job.label}",
            "opts": Job._meta,
            "job": job,
            "photos": shown_photos(job),
            "form": form if may_change else None,
        }
        status = 422 if is_post else 200
        return TemplateResponse(request, "dispatch/job_photos.html", context, status=status)

    def _saved(self, request: HttpRequest, job: Job, form: JobPhotosForm) -> bool:
        try:
            form.save(job=job, actor=actor_of(request))
        except DispatchError as refusal:
            form.add_error("photos", str(refusal))
            return False
        messages.success(request, f"The photos of {job.label} are saved.")
        return True


def shown_photos(job: Job) -> list[dict[str, Any]]:
    """Return what a template needs to show a job's photos, oldest first."""
    return [
        {
            "pk": photo.pk,
            "large": photo_url(photo.large),
            "small": photo_url(photo.small),
            "alt": f"Photo {number} of {job.label}",
            "actor": photo.actor,
            "at": photo.at,
        }
        for number, photo in enumerate(Photo.objects.filter(job=job), 1)
    ]


def _page_of(job: Job) -> str:
    return reverse("admin:dispatch_job_photos", args=[job.pk])
