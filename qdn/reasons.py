"""Reasons as people type them at a shell, for the history, which has room for 300 characters."""

from argparse import ArgumentTypeError

LONGEST = 300


def reason(text: str) -> str:
    """Read a reason. Raises ArgumentTypeError, before anything is done that it is given for."""
    try:
        text.encode()
    except UnicodeEncodeError as error:  # as Python reads bytes of another encoding
        raise ArgumentTypeError("expected UTF-8, found bytes that are not") from error
    if len(text) > LONGEST:
        raise ArgumentTypeError(
            f"the history keeps {LONGEST} characters, this has {len(text)}: say it in fewer words, "
            "or with a link to where there is more"
        )
    return text
