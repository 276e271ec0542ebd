"""Texts that do something where a page takes them for more than text, and how that is seen.

Each calls hit(), and makes an element or attribute `data-hit` where scripts cannot run. They have
no spaces, so that a field can hold several and a first name one.
"""

from pathlib import Path

PAYLOADS = {
    "script": "<script/data-hit>hit()</script>",
    "image": '<img/data-hit/onerror="hit()"/src="/hit">',
    "svg": "<svg/data-hit/onload=hit()>",
    "double quote": '"data-hit/autofocus/onfocus=hit()/x="',
    "single quote": "'data-hit/autofocus/onfocus=hit()/x='",
    "url": "javascript:hit()//",
    "template": "{{1987*1993}}${1987*1993}{{hit()}}${hit()}",
    "end of script": "</script><script/data-hit>hit()</script>",
    "end of text": "</textarea></title></select></style></template><i/data-hit>",
    "string": "'-hit()-'\"-hit()-\"`-hit()-`\\'-hit()//",
    "comment": "--></i><i/data-hit>]]><i/data-hit><!--",
    "directions": "\u202e\u2066<\u0130/data-hit>\ufeff\u2028\uff1cscript\uff1e",
}
PRODUCT = str(1987 * 1993)

# Runs in every page before its own scripts. hit() is given by the browser's driver.
WATCH = """
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
  (window.__blocked = window.__blocked || []).push(`${violatedDirective} ${blockedURI}`);
});
"""
FIND = (Path(__file__).parent / "find_hits.js").read_text()


def fitting(first: int, length: int) -> str:
    """Return as many payloads as fit into a field, from the one numbered `first` on."""
    text = ""
    for number in range(len(PAYLOADS)):
        payload = list(PAYLOADS.values())[(first + number) % len(PAYLOADS)]
        if len(text) + len(payload) < length:
            text += f" {payload}" if text else payload
    return text


class Watcher:
    """Opens pages in a browser and notes what a payload did in them."""

    def __init__(self, context):
        self.page = context.new_page()
        self._hits = []
        self.page.expose_function("hit", lambda: self._hits.append("hit() was called"))
        self.page.add_init_script(WATCH)
        self.page.on("dialog", lambda dialog: (self._hits.append("dialog"), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self._hits.append(f"error: {error}"))
        self.page.on("request", self._note_request)

    def _note_request(self, request):
        if request.url.endswith("/hit"):
            self._hits.append(f"request: {request.url}")

    def found(self) -> list[str]:
        """Return what payloads did since the last call, in the open page."""
        found = [*self._hits, *self.page.evaluate(FIND, PRODUCT)]
        self._hits.clear()
        return found

    def open(self, url: str) -> list[str]:
        """Open a page; return what payloads did in it."""
        self.page.goto(url)
        return self.found()
