"""Tags by which one template serves a release and the application alike.

While a release is built the context holds `assets` (deployments.releases.build.Assets) and files
get their content-hashed names under /assets/; anywhere else they are Django's static files.
"""

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
# Shows on a previewed page which release it is (deployments/routing/previews.py).
BANNER = "site/preview.js"


@register.simple_tag(takes_context=True)
def asset(context: dict[str, Any], path: str) -> str:
    """Give the URL of a static file."""
    assets = context.get("assets")
    return assets.url(path) if assets else static(path)


@register.simple_tag(takes_context=True)
def scripts(context: dict[str, Any], *paths: str) -> SafeString:
    """Give a page's scripts: in a release one file, with the preview's banner at its end.

    The application's own pages are never previewed: there it is the scripts alone.
    """
    assets = context.get("assets")
    urls = [assets.joined_url(*paths, BANNER)] if assets else [static(path) for path in paths]
    return format_html_join("\n", '<script src="{}" defer></script>', ((url,) for url in urls))


@register.simple_tag(takes_context=True)
def stylesheet(context: dict[str, Any], path: str) -> SafeString:
    """Give a stylesheet: inside the page in a release, by reference elsewhere.

    A page of a release renders after one round trip. Its <meta> policy admits this very
    stylesheet by hash and no other inline style.
    """
    assets = context.get("assets")
    if not assets:
        return format_html('<link rel="stylesheet" href="{}">', static(path))
    text = assets.text(path)
    policy = format_html(
        '<meta http-equiv="Content-Security-Policy" content="style-src \'{}\'">',
        assets.policy_hash(text),
    )
    # The text is our own stylesheet, from our own static files.
    return mark_safe(f"{policy}<style>{text}</style>")  # noqa: S308
