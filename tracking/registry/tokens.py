"""Which tokens of a former system a link can carry."""

import unicodedata


def opens(token: str) -> bool:
    """Whether a link with this token opens its job; "" is a token that is not known.

    The edge refuses paths with an encoded slash or a control character, since storage may read them
    as another path (docs/reference/urls.md). A page whose name ends in .json would be a document.
    """
    has_control = any(unicodedata.category(one) == "Cc" for one in token)
    is_refused = has_control or "/" in token or "\\" in token or token in {".", ".."}
    return not is_refused and not token.endswith(".json")
