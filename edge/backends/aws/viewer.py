"""A viewer for probing over HTTP."""

from urllib.parse import urlsplit

import urllib3

from edge.errors import BackendUnavailable
from edge.protocols import ViewerResponse

TIMEOUT_SECONDS = 10


class HttpViewer:
    """A Viewer over HTTPS.

    `url` (http://address:port or https://...) is where to connect, if not where DNS points. The
    Host header and the expected certificate remain those of the host.
    """

    def __init__(self, url: str = "") -> None:
        self._url = urlsplit(url)

    def fetch(self, host: str, path: str, *, cookie: str = "", via: str = "") -> ViewerResponse:
        headers = {"Host": host, "User-Agent": "QuickDumpNow"}
        if cookie:
            headers["Cookie"] = cookie
        try:
            with self._pool(host, via) as pool:
                response = pool.request(
                    "GET",
                    path,
                    headers=headers,
                    retries=False,
                    redirect=False,
                    decode_content=False,
                )
        except urllib3.exceptions.HTTPError as error:
            where = self._url.netloc or via or host
            raise BackendUnavailable(
                f"{where} did not answer: {error or type(error).__name__}.",
                "If DNS does not point to the edge yet, set EDGE_VIEWER_URL to its address.",
            ) from error
        return ViewerResponse(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.data,
        )

    def _pool(self, host: str, via: str) -> urllib3.HTTPConnectionPool:
        address, port = self._url.hostname or via or host, self._url.port
        if self._url.scheme == "http":
            return urllib3.HTTPConnectionPool(address, port, timeout=TIMEOUT_SECONDS)
        return urllib3.HTTPSConnectionPool(
            address, port, timeout=TIMEOUT_SECONDS, server_hostname=host
        )
