"""The addresses of the customers' pages in the language that is active."""

from django import template
from django.urls import reverse

from dispatch.languages import current_language

register = template.Library()


@register.simple_tag
def customer_pages() -> dict[str, str]:
    """Return the `language`, and the paths of `home`, `book` and `find` in it."""
    language, find = current_language(), reverse("tracking:find")
    if language == "en":
        return {"language": language, "home": "/", "book": "/book/", "find": find}
    home = f"/{language}/"
    return {
        "language": language,
        "home": home,
        "book": f"{home}book/",
        "find": f"{find}?lang={language}",
    }
