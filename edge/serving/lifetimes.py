"""How long caches keep a response: this edge, and those beyond it.

The edge keeps a response at least as long as its behaviour says (edge/behaviours.py), because the
keys there carry the release. The address that a viewer sees does not carry it, so no cache beyond
the edge may keep a page past the next switch.
"""

# Sent with every "not found": what is missing now may exist a moment later.
MISSING_RULE = "no-store"


def time_to_live(cache_control: str) -> int:
    """Return for how many seconds a shared cache may keep a response, or 0.

    `s-maxage` takes precedence over `max-age` (RFC 9111, 5.2.2.10). Without either the response is
    not kept, as with a CloudFront cache policy whose minimum and default TTL are 0.
    """
    seconds = {"max-age": 0, "s-maxage": -1}
    for directive in cache_control.lower().split(","):
        name, _, value = directive.strip().partition("=")
        if name in ("no-store", "no-cache", "private"):
            return 0
        if name in seconds and value.strip('"').isdigit():
            seconds[name] = int(value.strip('"'))
    return seconds["s-maxage"] if seconds["s-maxage"] >= 0 else seconds["max-age"]


def rule_for_viewers(cache_control: str) -> str:
    """Return a stored rule without `s-maxage`, which is for this edge and ends here.

    Releases of earlier versions are stored with it, for a year.
    """
    if "s-maxage" not in cache_control.lower():
        return cache_control
    directives = (directive.strip() for directive in cache_control.split(","))
    kept = [one for one in directives if not one.lower().startswith("s-maxage")]
    return ", ".join(kept) or "max-age=0"
