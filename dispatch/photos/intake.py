"""Opening uploaded photos, and making the two sizes that are kept.

A file is judged by its content: its name and the type that the browser states decide nothing. What
is kept is encoded from the pixels alone, so no position, camera or color profile survives.

This happens in the request that sends the photos: a file that cannot be opened is refused at its
field, and nothing waits for a task. Six photos of 12 megapixels take 1.4 s of one core as JPEG, and
4 s as HEIC; the most expensive file that the limits admit takes 2 s and 550 MB. Each process opens
one photo at a time, which bounds the memory; Pillow lets other threads run.
"""

import io
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# The plugins, because Image.open() with a list of formats knows only those that are loaded.
from PIL import (  # noqa: F401
    Image,
    ImageCms,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)
from pillow_heif import register_heif_opener

from dispatch.errors import ValueRefused

FIELD = "photos"
MOST_PHOTOS = 6
MOST_BYTES = 10 * 1024 * 1024
# What a phone of 50 megapixels makes: 8,192 x 6,144.
MOST_PIXELS = 51_000_000
# A progressive JPEG is decoded once per scan. Cameras use about ten, but a scan of 75 bytes takes
# up to 40 ms, so a file of 10 MB could keep a thread busy for an hour.
MOST_SCANS = 40
LARGE_SIDE, SMALL_SIDE = 1600, 400  # pixels
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
FORMAT_HINT = gettext_lazy("Send photos as JPEG, PNG, WebP or HEIC.")
ANOTHER_HINT = gettext_lazy("Send another photo.")
WAIT_SECONDS = 30
NAME_CHARACTERS = 40
_PIXELS = re.compile(r"\d+")  # of Pillow's message
_START_OF_SCAN = b"\xff\xda"
_SRGB = ImageCms.createProfile("sRGB")
_one_at_a_time = threading.Lock()
logger = logging.getLogger(__name__)

# Pillow warns of more, and refuses twice as many before it makes a decoder.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
# Only the first picture of a file is used.
register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


@dataclass(frozen=True, slots=True)
class ReadyPhoto:
    """A photo to be stored: two JPEG files, and the size of the large one in pixels."""

    large: bytes
    small: bytes
    width: int
    height: int


def ready_photo(file: IO[bytes], *, name: str) -> ReadyPhoto:
    """Open an uploaded photo and return its two sizes. `name` is the file's for the customer.

    Raises ValueRefused (field "photos") that names the file.
    """
    content = _read(file, shown := shown_name(name))
    with _turn(shown):
        try:
            return _both_sizes(_opened(content, shown))
        except ValueRefused:
            raise
        except Exception as error:  # decoders raise anything for a damaged file
            logger.info("A photo could not be decoded: %r", error)
            raise _refused(_("“%(name)s” is damaged or incomplete."), shown, ANOTHER_HINT) from None


def check_count(count: int) -> None:
    """Raise ValueRefused for more photos than a job can have."""
    if count > MOST_PHOTOS:
        raise ValueRefused(
            _("A job can have %(most)s photos, found %(count)s.")
            % {"most": MOST_PHOTOS, "count": count},
            _("Leave out some of them."),
            field=FIELD,
        )


def shown_name(name: str) -> str:
    """Return a file's name as a message shows it: without folders, printable and short."""
    last = PurePath(name.replace("\\", "/")).name
    text = "".join(character for character in last if character.isprintable()).strip()
    if len(text) > NAME_CHARACTERS:
        half = NAME_CHARACTERS // 2
        text = f"{text[:half]}…{text[1 - half :]}"
    return text or _("A file without a name")


def _read(file: IO[bytes], shown: str) -> bytes:
    content = file.read(MOST_BYTES + 1)
    if not content:
        raise _refused(_("“%(name)s” is empty."), shown, ANOTHER_HINT)
    if len(content) > MOST_BYTES:
        raise _refused(
            _("“%(name)s” is larger than %(most)s MB."),
            shown,
            _("Send a smaller copy, or a screenshot of it."),
            most=MOST_BYTES // 2**20,
        )
    return content


@contextmanager
def _turn(shown: str) -> Iterator[None]:
    """Wait until no other thread of this process opens a photo."""
    if not _one_at_a_time.acquire(timeout=WAIT_SECONDS):
        raise _refused(
            _("“%(name)s” was not opened: too many photos are arriving."),
            shown,
            _("Send it again in a minute."),
        )
    try:
        yield
    finally:
        _one_at_a_time.release()


def _opened(content: bytes, shown: str) -> Image.Image:
    """Return the picture of a file, of which only the header was read."""
    if content.startswith(b"\xff\xd8") and content.count(_START_OF_SCAN) > MOST_SCANS:
        raise _refused(_("“%(name)s” is not an ordinary JPEG."), shown, ANOTHER_HINT)
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(shown, _pixels_in(error)) from None
    except Exception as error:  # a header that only looks like one of a photo
        logger.info("A file could not be opened as a photo: %r", error)
        raise _refused(
            _("“%(name)s” is not a photo that we can open."), shown, FORMAT_HINT
        ) from None
    if (pixels := image.width * image.height) > MOST_PIXELS:
        raise _too_many_pixels(shown, pixels)
    return image


def _pixels_in(error: Exception) -> int:
    found = _PIXELS.search(str(error))
    return int(found[0]) if found else MOST_PIXELS


def _too_many_pixels(shown: str, pixels: int) -> ValueRefused:
    found, most = (f"{number // 1_000_000:,}" for number in (pixels, MOST_PIXELS))
    return _refused(
        _("“%(name)s” has %(found)s megapixels; a photo can have %(most)s."),
        shown,
        _("Send a screenshot of it."),
        found=found,
        most=most,
    )


def _refused(text: str, shown: str, hint: Any, **values: object) -> ValueRefused:
    return ValueRefused(text % {"name": shown, **values}, str(hint), field=FIELD)


def _both_sizes(image: Image.Image) -> ReadyPhoto:
    # Before all else: JPEG is decoded at a fraction of its size, and the rest has less to do.
    image.thumbnail((LARGE_SIDE, LARGE_SIDE), reducing_gap=2.0)
    large = _plain(ImageOps.exif_transpose(image))
    small = large.copy()
    small.thumbnail((SMALL_SIDE, SMALL_SIDE))
    return ReadyPhoto(_jpeg(large), _jpeg(small), large.width, large.height)


def _plain(image: Image.Image) -> Image.Image:
    """Return a copy in sRGB, on white where the picture is transparent, with the pixels only."""
    plain = Image.new("RGB", image.size, "white")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        plain.paste(image, mask=image.getchannel("A"))
    else:
        plain.paste(_in_srgb(image))
    return plain


def _in_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile and image.mode in {"RGB", "CMYK", "L"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that cannot be used; the colours are close without it
        else:
            return converted or image.convert("RGB")
    return image.convert("RGB")


def _jpeg(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=QUALITY, optimize=True)
    return written.getvalue()
