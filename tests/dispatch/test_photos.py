"""Photos are stored with their job, shown only to staff, and deleted some time after it."""

import io
import os
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule
from PIL import Image

from dispatch.errors import JobChangedMeanwhile, ValueRefused
from dispatch.models import Job, Photo
from dispatch.photos.intake import ready_photo
from dispatch.photos.purge import purge_orphans, purge_photos
from dispatch.photos.serving import photo_url
from dispatch.photos.storing import (
    PhotosNotStored,
    add_booked_photos,
    add_photos,
    delete_files,
    remove_photos,
)
from dispatch.statuses import Status
from dispatch.tasks import purge_photos as purge_task
from tests.builders import make_job
from tests.photo_files import exif, jpeg

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def ready(count=1):
    return [ready_photo(io.BytesIO(jpeg()), name="couch.jpg") for _ in range(count)]


def make_photos(job=None, count=1):
    return add_photos(job=job or make_job(), photos=ready(count), actor="customer")


def fail(*args):
    raise OSError("disk full")


def files():
    try:
        return {f"photos/{name}" for name in default_storage.listdir("photos")[1]}
    except FileNotFoundError:
        return set()


def job_of(days, *, count=1, status=Status.COMPLETED):
    """Make a job that came into its status some days ago, with photos."""
    with time_machine.travel(timezone.now() - days * DAY, tick=False):
        job = make_job(status=status)
        make_photos(job, count)
    return job


class TestAdding:
    def test_photos_are_stored_and_noted(self):
        job = make_job()
        made = make_photos(job, 3)
        assert list(job.photos.all()) == made
        assert files() == {name for photo in made for name in (photo.large, photo.small)}
        assert {(photo.width, photo.height, photo.actor) for photo in made} == {
            (640, 480, "customer")
        }
        event = job.events.get(revision=2)
        assert (event.kind, event.changes) == ("details", {"photos": ["0", "3"]})
        assert Job.objects.get(pk=job.pk).revision == 2

    def test_names_are_random(self):
        (photo,) = make_photos(job := make_job())
        assert len(photo.large) == len("photos/.jpg") + 32
        assert photo.large != photo.small
        assert str(job.number) not in photo.large

    def test_job_has_six_at_most(self):
        job = make_job()
        make_photos(job, 4)
        with pytest.raises(ValueRefused, match="can have 6 photos, found 7"):
            make_photos(job, 3)
        assert (job.photos.count(), len(files())) == (4, 8)
        assert len(make_photos(job, 2)) == 2

    def test_no_photos_are_no_change(self):
        job = make_job()
        assert add_photos(job=job, photos=[], actor="customer") == []
        assert job.events.count() == 1

    def test_files_of_a_refused_change_are_removed(self):
        job = make_job()
        Job.objects.filter(pk=job.pk).update(revision=5)
        with pytest.raises(JobChangedMeanwhile):
            make_photos(job)
        assert (files(), Photo.objects.count()) == (set(), 0)

    def test_files_are_removed_when_the_storage_fails(self, monkeypatch):
        save, calls = FileSystemStorage._save, []

        def fail_later(*args):
            calls.append(args)
            return save(*args) if len(calls) < 3 else fail()

        monkeypatch.setattr(FileSystemStorage, "_save", fail_later)
        job = make_job()
        with pytest.raises(PhotosNotStored, match="could not be stored"):
            make_photos(job, 2)
        assert (files(), Photo.objects.count(), job.events.count()) == (set(), 0, 1)


class TestBooking:
    def test_photos_are_added_once(self):
        job = make_job()
        assert add_booked_photos(job=job, photos=ready(2))
        assert add_booked_photos(job=job, photos=ready(2))
        assert (job.photos.count(), len(files())) == (2, 4)

    def test_of_the_same_form_sent_twice_one_adds_them(self, together):
        job, photos = make_job(), ready(2)
        results = together(
            lambda: add_booked_photos(job=Job.objects.get(pk=job.pk), photos=photos), times=8
        )
        assert results == [True] * 8
        assert (job.photos.count(), len(files())) == (2, 4)

    def test_photos_are_added_to_a_job_that_was_changed(self):
        job = make_job()
        Job.objects.filter(pk=job.pk).update(revision=5)
        assert add_booked_photos(job=job, photos=ready(2))
        assert (job.photos.count(), len(files())) == (2, 4)

    def test_booking_without_photos(self):
        assert add_booked_photos(job=(job := make_job()), photos=[])
        assert job.events.count() == 1

    def test_booking_stays_when_the_storage_fails(self, monkeypatch):
        monkeypatch.setattr(FileSystemStorage, "_save", fail)
        job = make_job()
        assert not add_booked_photos(job=job, photos=ready(2))
        assert job.events.last().changes == {"photos": ["0", "2 sent, but not stored"]}
        assert not job.photos.exists()


@pytest.fixture
def viewer(client):
    """A client whose user may view jobs, and nothing else."""
    user = User.objects.create_user("vera", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(user)
    return client


class TestServing:
    def test_staff_see_both_sizes(self, viewer):
        (photo,) = make_photos()
        for name in (photo.large, photo.small):
            answer = viewer.get(photo_url(name))
            assert answer.status_code == 200
            assert Image.open(io.BytesIO(answer.content)).format == "JPEG"
            assert answer["Content-Type"] == "image/jpeg"
            assert answer["Cache-Control"] == "private, max-age=3600"
            assert answer["Content-Disposition"] == "inline"
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"

    def test_path_is_one_of_the_application(self):
        assert photo_url("photos/ab.jpg") == "/media/photos/ab.jpg"

    @pytest.mark.parametrize("powers", [None, {}, {"is_staff": True}, {"is_active": False}])
    def test_others_see_none(self, client, powers):
        (photo,) = make_photos()
        if powers is not None:
            client.force_login(User.objects.create_user("ines", **powers))
        unknown = client.get("/media/photos/unknown.jpg")
        for name in (photo.large, photo.small):
            answer = client.get(photo_url(name))
            assert (answer.status_code, answer.content) == (404, unknown.content)

    def test_only_names_of_photos_are_served(self, viewer, settings):
        make_photos()
        default_storage.save("photos/orphan.jpg", ContentFile(b"a"))
        Path(settings.MEDIA_ROOT, "secret.txt").write_text("secret")
        for path in (
            "%00.jpg",
            "%c3%a9.jpg",
            "orphan.jpg",
            "..%2fsecret.txt",
            "%2e%2e%2fsecret.txt",
            "x/y.jpg",
        ):
            assert viewer.get(f"/media/photos/{path}").status_code == 404

    def test_lost_file_is_not_found(self, viewer):
        (photo,) = make_photos()
        default_storage.delete(photo.small)
        assert viewer.get(photo_url(photo.small)).status_code == 404

    @pytest.mark.parametrize("method", ["post", "put", "delete"])
    def test_other_methods(self, viewer, method):
        (photo,) = make_photos()
        assert getattr(viewer, method)(photo_url(photo.small)).status_code == 405

    def test_function_of_another_app_admits_viewers(self, client, settings):
        settings.PHOTO_VIEWERS = [f"{__name__}.has_opened"]
        (photo,), (other,) = make_photos(), make_photos()
        session = client.session
        session["opened"] = photo.job_id
        session.save()
        client.cookies["sessionid"] = session.session_key
        assert client.get(photo_url(photo.small)).status_code == 200
        assert client.get(photo_url(other.small)).status_code == 404


def has_opened(request, job):
    return request.session.get("opened") == job.pk


def upload(name="couch.jpg", content=None):
    return SimpleUploadedFile(name, jpeg() if content is None else content, "image/jpeg")


class TestAdmin:
    def test_job_page_shows_photos(self, desk):
        photos = make_photos(job := make_job(), 2)
        page = desk.get(reverse("admin:dispatch_job_change", args=[job.pk])).content.decode()
        for photo in photos:
            assert f'src="{photo_url(photo.small)}"' in page
            assert f'href="{photo_url(photo.large)}"' in page
        assert f'alt="Photo 2 of {job.label}"' in page
        assert "photos: 0 → 2" in page

    def test_staff_add_and_remove_photos(self, desk, django_capture_on_commit_callbacks):
        first, second = make_photos(job := make_job(), 2)
        page = reverse("admin:dispatch_job_photos", args=[job.pk])
        assert 'enctype="multipart/form-data"' in desk.get(page).content.decode()
        photo = upload(content=jpeg(exif=exif()))
        with django_capture_on_commit_callbacks(execute=True):
            answer = desk.post(page, {"remove": [first.pk], "photos": [photo]})
        assert answer.status_code == 302
        left = list(job.photos.all())
        assert (len(left), left[0]) == (2, second)
        assert left[1].actor == "dana"
        assert len(files()) == 4
        assert job.events.last().changes == {"photos": ["1", "2"]}

    def test_refused_photos_change_nothing(self, desk):
        (photo,) = make_photos(job := make_job())
        page = reverse("admin:dispatch_job_photos", args=[job.pk])
        for uploads, text in (
            ([upload("list.jpg", b"text")], "“list.jpg” is not a photo"),
            ([upload()] * 7, "A job can have 6 photos, found 7."),
            ([upload() for _ in range(6)], "A job can have 6 photos, found 7."),
        ):
            answer = desk.post(page, {"photos": uploads})
            assert answer.status_code == 422
            assert text in answer.content.decode()
        foreign = make_photos()[0]
        assert desk.post(page, {"remove": [foreign.pk]}).status_code == 422
        assert list(job.photos.all()) == [photo]
        assert Photo.objects.filter(pk=foreign.pk).exists()

    def test_six_can_replace_six(self, desk):
        photos = make_photos(job := make_job(), 6)
        page = reverse("admin:dispatch_job_photos", args=[job.pk])
        removed = [photo.pk for photo in photos]
        uploads = [upload() for _ in range(6)]
        assert desk.post(page, {"remove": removed, "photos": uploads}).status_code == 302
        assert job.photos.count() == 6

    def test_viewers_can_only_look(self, viewer):
        make_photos(job := make_job())
        page = reverse("admin:dispatch_job_photos", args=[job.pk])
        assert "Add photos" not in viewer.get(page).content.decode()
        assert viewer.post(page, {"photos": [upload()]}).status_code == 403


class TestPurge:
    @pytest.mark.parametrize("status", [Status.COMPLETED, Status.CANCELLED])
    def test_photos_go_some_time_after_the_job(self, settings, status):
        settings.PHOTO_DAYS = 10
        ended, recent = (job_of(days, count=2, status=status) for days in (11, 9))
        still_open = job_of(100, count=2, status=Status.REQUESTED)
        revision = Job.objects.get(pk=ended.pk).revision
        assert purge_photos(timezone.now()) == 2
        assert {photo.job for photo in Photo.objects.all()} == {recent, still_open}
        assert len(files()) == 8
        assert Job.objects.get(pk=ended.pk).revision == revision
        assert purge_photos(timezone.now()) == 0

    @pytest.mark.parametrize("days", [0, -1])
    def test_photos_are_kept_for_ever_without_a_number_of_days(self, settings, days):
        settings.PHOTO_DAYS = days
        job_of(10_000)
        assert purge_photos(timezone.now()) == 0

    def test_more_photos_than_one_batch(self, monkeypatch):
        monkeypatch.setattr("dispatch.photos.purge.BATCH", 2)
        job_of(1000, count=5)
        assert purge_photos(timezone.now()) == 5
        assert files() == set()

    def test_files_without_a_row_go_after_a_day(self, monkeypatch):
        monkeypatch.setattr("dispatch.photos.purge.BATCH", 2)
        make_photos(count=2)
        kept = files()
        for name in ("a.jpg", "m.jpg", "z.jpg"):
            default_storage.save(f"photos/{name}", ContentFile(b"a"))
        assert purge_orphans(timezone.now()) == 0
        for name in files():  # the others are as old, and stay
            two_days_ago = (timezone.now() - 2 * DAY).timestamp()
            os.utime(default_storage.path(name), (two_days_ago, two_days_ago))
        assert purge_task() == {"photos": 0, "files": 3}
        assert files() == kept
        assert purge_task() == {"photos": 0, "files": 0}

    def test_killed_run_is_finished_by_the_next(self, monkeypatch):
        job_of(1000)
        monkeypatch.setattr("dispatch.photos.purge.delete_files", lambda names: None)
        assert purge_photos(timezone.now()) == 1
        assert len(files()) == 2
        monkeypatch.undo()
        assert purge_orphans(timezone.now() + 2 * DAY) == 2
        assert files() == set()

    def test_purge_before_the_first_photo(self):
        assert purge_task() == {"photos": 0, "files": 0}

    def test_purge_is_scheduled(self):
        schedule = Schedule.objects.get(func="dispatch.tasks.purge_photos")
        assert schedule.schedule_type == Schedule.DAILY


def test_file_that_cannot_be_deleted_is_left_to_the_purge(monkeypatch):
    (photo,) = make_photos(job := make_job())

    monkeypatch.setattr(FileSystemStorage, "delete", fail)
    delete_files([photo.large])
    remove_photos(job=job, photos=[photo], actor="dana")
    assert not job.photos.exists()
