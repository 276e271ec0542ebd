"""QR codes, drawn in the page: a printed page opens on a phone."""

import segno
from django.utils.safestring import SafeString, mark_safe


def qr_picture(address: str) -> SafeString:
    """Return an address as an inline SVG, black on white with its quiet zone."""
    picture = segno.make_qr(address, error="m").svg_inline(
        omitsize=True, svgclass=None, lineclass=None, light="#fff"
    )
    # Squares only: the address appears nowhere in the picture.
    return mark_safe(picture.replace("<svg", '<svg aria-hidden="true"', 1))  # noqa: S308
