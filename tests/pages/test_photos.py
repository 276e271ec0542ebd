"""Photos in a real browser: made smaller before they are sent, shown, and removed."""

import json

import pytest
from PIL import Image

from qdn.demonstration import LOGIN, PASSWORD
from tests.pages.test_browser import ACCESSIBILITY, BOOKING
from tests.photo_files import encoded, exif, jpeg

pytestmark = pytest.mark.browser
SLOW = {"offline": False, "latency": 100, "downloadThroughput": -1, "uploadThroughput": 50_000}
COUNT = """
import json
from django.core.files.storage import default_storage
from dispatch.models import Job
job = Job.objects.get(number={number})
photos = list(job.photos.all())
print(json.dumps({{
    "pk": job.pk,
    "sizes": [[photo.width, photo.height] for photo in photos],
    "paths": [default_storage.path(photo.large) for photo in photos],
}}))
"""


@pytest.fixture(scope="module")
def twelve_megapixels(tmp_path_factory):
    """Six photos as a phone makes them, of several MB each."""
    folder = tmp_path_factory.mktemp("photos")
    coarse = [Image.effect_noise((1000, 750), 40) for _ in range(3)]
    picture = Image.merge("RGB", coarse).resize((4000, 3000), Image.Resampling.BICUBIC)
    content = encoded(picture, "JPEG", quality=92, exif=exif(6))
    paths = [folder / f"IMG_{number}.jpg" for number in range(6)]
    for path in paths:
        path.write_bytes(content)
    return paths


@pytest.fixture
def job(site):
    return site.create_job()


@pytest.fixture
def photos_page(site, job, open_page):
    """Return a function that opens the page of the job's photos."""

    def photos_page(**options):
        page = open_page(**options)
        page.goto(f"{site.url}/admin/login/?next=/admin/dispatch/job/")
        page.fill("[name=username]", LOGIN)
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        pk = stored(site, job)["pk"]
        page.goto(f"{site.url}/admin/dispatch/job/{pk}/photos/")
        return page

    return photos_page


def stored(site, job):
    number = job["number"].removeprefix("QDN-")
    done = site.manage("shell", "-c", COUNT.format(number=number))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def send(page):
    """Send the form; return the size of its body in bytes."""
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.click("button >> text=Save")
    page.wait_for_load_state()
    assert sent.value.status == 302
    return sent.value.request.sizes()["requestBodySize"]


@pytest.mark.every_step
def test_six_photos_over_a_slow_connection(site, photos_page, job, twelve_megapixels):
    originals = sum(path.stat().st_size for path in twelve_megapixels)
    page = photos_page()
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
    page.set_default_timeout(180_000)
    page.set_input_files("[data-photos]", twelve_megapixels)
    page.wait_for_selector("text=6 photos, ")
    assert page.locator(".photos li img").count() == 6
    assert send(page) < originals / 8
    found = stored(site, job)
    assert found["sizes"] == [[1200, 1600]] * 6  # turned upright
    with Image.open(found["paths"][0]) as kept:
        assert not kept.getexif()


def test_form_that_is_sent_at_once_waits_for_its_photos(site, photos_page, job, twelve_megapixels):
    page = photos_page()
    page.set_input_files("[data-photos]", twelve_megapixels[:3])
    assert send(page) < twelve_megapixels[0].stat().st_size
    assert len(stored(site, job)["sizes"]) == 3


def test_photos_are_added_and_removed_by_keyboard(site, photos_page, job, tmp_path):
    paths = [tmp_path / f"{name}.jpg" for name in "abcdefgh"]
    for path in paths:
        path.write_bytes(jpeg())
    page = photos_page()
    page.set_input_files("[data-photos]", paths[:2])
    page.wait_for_selector("text=2 photos, ")
    page.set_input_files("[data-photos]", paths[2:])
    page.wait_for_selector("text=A job can have 6 photos, so 2 were left out. 6 photos, ")
    assert page.locator(".photos li img").nth(1).get_attribute("alt") == "Photo 2: b.jpg"
    page.focus("[data-photos]")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Remove Photo 2: b.jpg"
    page.keyboard.press("Enter")
    page.wait_for_selector("text=5 photos, ")
    assert page.evaluate("document.activeElement.ariaLabel") == "Remove Photo 2: c.jpg"
    page.keyboard.press("Space")
    page.wait_for_selector("text=4 photos, ")
    assert page.said == []
    send(page)
    assert len(stored(site, job)["sizes"]) == 4


def test_file_that_the_browser_cannot_open_is_sent_as_it_is(site, photos_page, job, tmp_path):
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(encoded(Image.new("RGB", (64, 48), "red"), "HEIF", exif=exif()))
    page = photos_page()
    page.set_input_files("[data-photos]", path)
    page.wait_for_selector("text=Photo 1: IMG_0001.HEIC")
    send(page)
    assert stored(site, job)["sizes"] == [[64, 48]]


def test_without_javascript(site, photos_page, job, tmp_path):
    (path := tmp_path / "a.jpg").write_bytes(jpeg())
    page = photos_page(java_script_enabled=False)
    page.set_input_files("[data-photos]", path)
    send(page)
    assert stored(site, job)["sizes"] == [[640, 480]]


NEWEST = "from dispatch.models import Job\nprint(Job.objects.order_by('pk').last().label)"


def newest_job(site):
    return {"number": site.manage("shell", "-c", NEWEST).stdout.splitlines()[-1]}


def fill_in_details(page):
    page.select_option("[name=service]", "junk")
    for name, value in BOOKING.items():
        page.fill(f"[name={name}]", value)


def fill_in_booking(page):
    fill_in_details(page)
    page.wait_for_selector("#times:not([hidden]), #days:not([hidden])")
    if page.is_visible("[name=first_choice]"):
        page.select_option("[name=first_choice]", index=1)


@pytest.mark.every_step
def test_booking_with_six_photos_over_a_slow_connection(site, open_page, twelve_megapixels):
    originals = sum(path.stat().st_size for path in twelve_megapixels)
    page = open_page()
    page.goto(site.url + "/book/")
    page.set_default_timeout(180_000)
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
    fill_in_booking(page)
    page.set_input_files("[data-photos]", twelve_megapixels)
    page.wait_for_selector("text=6 photos, ")
    assert page.evaluate(ACCESSIBILITY) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.click("text=Send my request")
    page.wait_for_url("**/t/*/")
    assert sent.value.request.sizes()["requestBodySize"] < originals / 8
    assert stored(site, newest_job(site))["sizes"] == [[1200, 1600]] * 6
    assert page.said == []


def test_refused_photo_is_named_at_its_field(site, open_page, tmp_path):
    (text := tmp_path / "list.jpg").write_text("A couch and two chairs.")
    (large := tmp_path / "large.jpg").write_bytes(bytes(40 * 2**20))
    page = open_page(java_script_enabled=False)
    page.goto(site.url + "/book/request/")
    fill_in_details(page)
    page.set_input_files("[data-photos]", [text, large])
    page.click("text=Send my request")
    page.wait_for_selector("#problems")
    error = page.inner_text(".photos .error")
    assert "“list.jpg” is not a photo that we can open." in error
    assert "“large.jpg” is larger than 10 MB." in error


def test_too_many_photos_get_a_page_that_says_so(site, open_page, tmp_path):
    """A body of 70 MB, which is refused before it has arrived."""
    paths = [tmp_path / f"{number}.jpg" for number in range(7)]
    for path in paths:
        path.write_bytes(bytes(10 * 2**20))
    page = open_page(java_script_enabled=False)
    page.goto(site.url + "/book/request/")
    fill_in_details(page)
    page.set_input_files("[data-photos]", paths)
    page.click("text=Send my request")
    page.wait_for_selector("text=Your photos are too large together")
    page.go_back()
    assert page.input_value("[name=name]") == "Jo Banner"
