"""Photos are opened by their content, and what is kept has nothing but the picture."""

import io
import os
import subprocess
import sys

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms import Form
from django.utils.datastructures import MultiValueDict
from PIL import Image, ImageCms

from dispatch.errors import ValueRefused
from dispatch.photos import intake
from dispatch.photos.fields import PhotosField
from dispatch.photos.intake import MOST_BYTES, MOST_PIXELS, ready_photo, shown_name
from tests.photo_files import (
    BOTTOM,
    MAKER,
    TOP,
    encoded,
    exif,
    jpeg,
    many_scans,
    picture,
    png_header,
    webp_header,
    with_everything,
)


def ready(content, name="couch.jpg"):
    return ready_photo(io.BytesIO(content), name=name)


def opened(content):
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def is_close(found, expected):
    return all(abs(one - other) < 12 for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_photo_is_kept_in_two_sizes_without_metadata(kind):
    content = with_everything(kind)
    assert MAKER.encode() in content
    photo = ready(content)
    assert (photo.width, photo.height) == (640, 480)
    for kept, size in ((photo.large, (640, 480)), (photo.small, (400, 300))):
        image = opened(kept)
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", size)
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert MAKER.encode() not in kept
        assert is_close(image.getpixel((10, 10)), TOP)


def test_heic_with_a_position_is_kept_without_it():
    content = encoded(picture(), "HEIF", exif=exif())
    assert Image.open(io.BytesIO(content)).getexif().get_ifd(0x8825)
    photo = ready(content, "IMG_0001.HEIC")
    for kept in (photo.large, photo.small):
        assert not opened(kept).getexif().get_ifd(0x8825)
        assert b"Exif" not in kept


def test_large_photo_is_made_smaller():
    photo = ready(jpeg(4000, 3000))
    assert (photo.width, photo.height) == (1600, 1200)
    assert opened(photo.large).size == (1600, 1200)
    assert opened(photo.small).size == (400, 300)


def test_small_photo_is_not_made_larger():
    photo = ready(jpeg(30, 20))
    assert opened(photo.large).size == opened(photo.small).size == (30, 20)


@pytest.mark.parametrize(
    ("orientation", "red"), [(1, (240, 20)), (3, (240, 620)), (6, (460, 320)), (8, (20, 320))]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_orientation_is_applied(kind, orientation, red):
    size = (480, 640) if orientation in (1, 3) else (640, 480)
    photo = ready(encoded(picture(*size), kind, exif=exif(orientation)))
    assert (photo.width, photo.height) == (480, 640)
    assert is_close(opened(photo.large).getpixel(red), TOP)


def test_orientation_of_heic_is_applied_once():
    photo = ready(encoded(picture(640, 480), "HEIF", exif=exif(6)))
    assert (photo.width, photo.height) == (480, 640)
    assert is_close(opened(photo.large).getpixel((460, 320)), TOP)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("CMYK", "JPEG"),
        ("L", "JPEG"),
        ("L", "PNG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("1", "PNG"),
        ("I;16", "PNG"),
        ("RGBA", "PNG"),
        ("RGBA", "WEBP"),
        ("RGBA", "HEIF"),
    ],
)
def test_every_mode_becomes_rgb(mode, kind):
    image = picture().convert("L").convert("I;16") if mode == "I;16" else picture(mode=mode)
    kept = opened(ready(encoded(image, kind)).large)
    assert (kept.mode, kept.size) == ("RGB", (640, 480))
    if mode in ("CMYK", "P", "RGBA"):
        assert is_close(kept.getpixel((10, 10)), TOP)


def test_transparent_palette_is_on_white():
    image = picture().quantize(2)
    content = encoded(image, "PNG", transparency=image.getpixel((10, 10)))
    kept = opened(ready(content).large)
    assert is_close(kept.getpixel((10, 10)), (255, 255, 255))
    assert is_close(kept.getpixel((10, 470)), BOTTOM)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "HEIF"])
def test_first_picture_of_several(kind):
    other = Image.new("RGB", (640, 480), "lime")
    content = encoded(picture(), kind, save_all=True, append_images=[other])
    assert is_close(opened(ready(content).large).getpixel((10, 10)), TOP)


def test_colours_are_converted_to_srgb():
    """A profile with swapped primaries would make red blue; it is applied, and not kept."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    swapped = bytearray(profile)
    swapped[red : red + 4], swapped[blue : blue + 4] = b"bXYZ", b"rXYZ"
    kept = opened(ready(encoded(picture(), "PNG", icc_profile=bytes(swapped))).large)
    assert is_close(kept.getpixel((10, 10)), TOP[::-1])
    assert "icc_profile" not in kept.info


def test_broken_profile_does_no_harm():
    kept = opened(ready(encoded(picture(), "PNG", icc_profile=b"no profile")).large)
    assert is_close(kept.getpixel((10, 10)), TOP)


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
WHOLE = {kind: encoded(picture(), kind) for kind in ("JPEG", "PNG", "WEBP", "HEIF")}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is empty"),
        (b"A couch and two chairs.", "is not a photo that we can open. Send photos as JPEG"),
        (SVG, "is not a photo that we can open"),
        (b"%PDF-1.7\n", "is not a photo that we can open"),
        (encoded(picture(), "GIF"), "is not a photo that we can open"),
        (encoded(picture(), "TIFF"), "is not a photo that we can open"),
        (encoded(picture(), "BMP"), "is not a photo that we can open"),
        (b"\xff\xd8\xff" + bytes(100), "is not a photo that we can open"),
        *((whole[: len(whole) * 2 // 3], "“couch.jpg” is ") for whole in WHOLE.values()),
        (bytes(MOST_BYTES + 1), "is larger than 10 MB"),
        (WHOLE["JPEG"] + bytes(MOST_BYTES), "is larger than 10 MB"),
        (png_header(50_000, 50_000), "has 2,500 megapixels; a photo can have 51"),
        (png_header(10_000, 9_000), "has 90 megapixels; a photo can have 51"),
        (webp_header(16_383, 16_383), "has 268 megapixels; a photo can have 51"),
        (png_header(640, 480), "is damaged or incomplete"),
        (many_scans(100), "is not an ordinary JPEG"),
    ],
)
def test_refused(content, text):
    with pytest.raises(ValueRefused) as refused:
        ready(content)
    assert text in str(refused.value)
    assert str(refused.value).startswith("“couch.jpg” ")
    assert (refused.value.field, refused.value.code) == ("photos", "value-refused")


def test_ordinary_progressive_jpeg_is_opened():
    assert ready(jpeg(progressive=True)).width == 640


def test_phone_of_50_megapixels_is_within_the_limit():
    assert MOST_PIXELS >= 8192 * 6144


def test_header_of_a_bomb_takes_no_memory():
    """In a process of its own, because memory once used is not given back."""
    code = (
        "import io, resource\n"
        "from dispatch.photos.intake import ready_photo\n"
        "from tests.photo_files import png_header\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    ready_photo(io.BytesIO(png_header(50_000, 50_000)), name='a')\n"
        "except Exception as error:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import django\ndjango.setup()\n{code}"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "qdn.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    grown, _, text = done.stdout.partition(" ")
    assert "megapixels" in text
    assert int(grown) < 20_000  # KB; the picture would have 7,500,000


def test_one_photo_is_opened_at_a_time(monkeypatch):
    monkeypatch.setattr(intake, "WAIT_SECONDS", 0.01)
    with (
        intake._one_at_a_time,
        pytest.raises(ValueRefused, match="too many photos are arriving"),
    ):
        ready(jpeg())
    assert ready(jpeg()).width == 640


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("couch.jpg", "couch.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\couch.jpg", "couch.jpg"),
        ("a\x00\n\u202egpj.exe", "agpj.exe"),
        ("", "A file without a name"),
        ("/", "A file without a name"),
        ("a" * 300 + ".jpg", "a" * 20 + "…" + "a" * 15 + ".jpg"),
    ],
)
def test_name_is_shown_short_and_plain(name, shown):
    assert shown_name(name) == shown


class PhotosForm(Form):
    photos = PhotosField(required=False)


def posted(*files):
    """Return the form as posted with files, of which each is a name and a content."""
    uploads = [SimpleUploadedFile(name, content, "image/jpeg") for name, content in files]
    return PhotosForm({}, MultiValueDict({"photos": uploads}))


def test_field_takes_several_photos():
    form = posted(("a.jpg", jpeg()), ("b.png", encoded(picture(), "PNG")))
    assert form.is_valid()
    assert [photo.width for photo in form.cleaned_data["photos"]] == [640, 640]


def test_field_may_be_empty():
    form = PhotosForm({"photos": "typed"}, MultiValueDict())
    assert form.is_valid()
    assert form.cleaned_data["photos"] == []


def test_field_names_each_file_that_is_refused():
    form = posted(("a.jpg", jpeg()), ("<b>.jpg", b"text"), ("big.jpg", bytes(MOST_BYTES + 1)))
    assert not form.is_valid()
    first, second = form.errors["photos"]
    assert first.startswith("“<b>.jpg” is not a photo")
    assert second.startswith("“big.jpg” is larger than 10 MB")
    assert "<b>" not in str(form)


def test_field_refuses_seven_photos_unopened():
    form = posted(*[("a.jpg", b"text")] * 7)
    assert form.errors["photos"] == ["A job can have 6 photos, found 7. Leave out some of them."]


def test_input_asks_for_several_photos():
    html = str(PhotosForm()["photos"])
    assert "multiple" in html
    assert 'accept="image/jpeg,' in html
    assert "data-photos" in html
