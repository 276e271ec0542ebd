"""Photos as phones, programs and attackers make them, as bytes."""

import io
import struct
import zlib

from PIL import Image, ImageCms
from pillow_heif import register_heif_opener

register_heif_opener()
TOP, BOTTOM = (200, 40, 20), (20, 60, 200)
ORIENTATION, MAKE, GPS = 0x0112, 0x010F, 0x8825
MAKER = "SecretCam"


def picture(width=640, height=480, mode="RGB"):
    """Return a picture whose upper half is red, and the lower blue."""
    image = Image.new("RGB", (width, height), BOTTOM)
    image.paste(TOP, (0, 0, width, height // 2))
    return image.convert(mode)


def encoded(image, kind="JPEG", **options):
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def exif(orientation=1):
    """Return EXIF data with a position, the camera and an orientation."""
    data = Image.Exif()
    data[ORIENTATION], data[MAKE] = orientation, MAKER
    data[GPS] = {1: "N", 2: (64.0, 50.0, 16.0), 3: "W", 4: (147.0, 43.0, 10.0)}
    return data.tobytes()


def jpeg(width=640, height=480, **options):
    return encoded(picture(width, height), "JPEG", **options)


def with_everything(kind):
    """Return a photo in a format, with position, camera, text and colour profile."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = {"comment": MAKER.encode()} if kind == "JPEG" else {}
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{MAKER}</x:xmpmeta>".encode()
    return encoded(picture(), kind, exif=exif(), icc_profile=profile, xmp=xmp, **text)


def png_header(width, height):
    """Return a PNG that claims a size, and has next to no content."""

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    content = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + head + content + chunk(b"IEND", b"")


def webp_header(width, height):
    """Return an animated WebP that claims a size, and has no frame."""
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size
    body = b"WEBP" + canvas + b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def many_scans(count):
    """Return a progressive JPEG whose last scan is repeated."""
    content = jpeg(progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * count + b"\xff\xd9"
