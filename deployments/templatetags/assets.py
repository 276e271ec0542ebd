"""Tags that let a template serve both releases and the application.

While a release is built, the context holds `assets` (deployments.releases.build.Assets), and files
have content-hashed names under /assets/. Elsewhere they are Django's static files.
"""

from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
# Shows the release's name on a previewed page (deployments/routing/previews.py).
BANNER = "site/preview.js"
# Reports how long a view took (deployments/timings/).
BEACON = "site/beacon.js"


@register.simple_tag(takes_context=True)
def asset(context: dict[str, Any], path: str) -> str:
    """Return the URL of a static file."""
    assets = context.get("assets")
    return assets.url(path) if assets else static(path)


@register.simple_tag(takes_context=True)
def scripts(context: dict[str, Any], *paths: str, timed: str = "") -> SafeString:
    """Return a page's script tags: in a release, one bundle that ends with the preview banner.

    `timed` names the surface whose views are timed: then the bundle begins with the beacon, unless
    TIMINGS_PERCENT is 0. The application's own pages are never previewed nor timed, so they have
    neither.
    """
    assets = context.get("assets")
    if not assets:
        return format_html_join(
            "\n", '<script src="{}" defer></script>', ((static(path),) for path in paths)
        )
    if not timed or settings.TIMINGS_PERCENT <= 0:
        return format_html('<script src="{}" defer></script>', assets.bundle_url(*paths, BANNER))
    return format_html(
        '<script src="{}" defer data-surface="{}" data-rate="{}"></script>',
        assets.bundle_url(BEACON, *paths, BANNER),
        timed,
        min(settings.TIMINGS_PERCENT, 100) / 100,
    )


@register.simple_tag(takes_context=True)
def stylesheet(context: dict[str, Any], *paths: str) -> SafeString:
    """Return a page's stylesheets: inline in a release, linked elsewhere.

    A page of a release renders after one round trip. Its <meta> policy admits exactly this inline
    style, by hash.
    """
    assets = context.get("assets")
    if not assets:
        links = ((static(path),) for path in paths)
        return format_html_join("\n", '<link rel="stylesheet" href="{}">', links)
    text = assets.style(*paths)
    policy = format_html(
        '<meta http-equiv="Content-Security-Policy" content="style-src \'{}\'">',
        assets.policy_hash(text),
    )
    # The text is our own stylesheets, from our own static files.
    return mark_safe(f"{policy}<style>{text}</style>")  # noqa: S308
