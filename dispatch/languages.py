"""The languages of customers: what they read is in one of them, and so are their messages."""

from django.utils.translation import get_language

from dispatch.models import Job

LANGUAGES = tuple(Job.Language.values)


def current_language() -> str:
    """Return the code of the language that is active in this thread: "en", unless it is Spanish."""
    spanish = Job.Language.SPANISH.value
    return spanish if get_language() == spanish else Job.Language.ENGLISH.value
