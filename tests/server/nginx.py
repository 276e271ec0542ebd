"""Runs Debian's nginx with docs/examples/nginx.conf, on free ports and in a folder of its own."""

import os
import re
import socket
import ssl
import subprocess
from contextlib import contextmanager
from functools import partial
from http.client import HTTPSConnection
from pathlib import Path
from typing import NamedTuple

from tests.server import servers
from tests.server.servers import ROOT

NGINX = "/usr/sbin/nginx"
CERTIFICATE = ROOT / "tests/aws/localhost.pem"
AROUND = """
daemon off;
%(user)s
worker_processes 1;
pid %(folder)s/nginx.pid;
error_log %(folder)s/main.error.log;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path %(folder)s/body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    scgi_temp_path %(folder)s/scgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    include %(site)s;
}
"""
# A cache that keeps what the answers allow, and not longer.
CACHE = """
proxy_cache_path %(folder)s/cache keys_zone=pages:10m;
server {
    listen 127.0.0.1:%(port)d;
    location / {
        proxy_pass http://127.0.0.1:%(upstream)d;
        proxy_set_header Host $http_host;
        proxy_cache pages;
        proxy_cache_key $http_host$request_uri;
        add_header X-Cache-Status $upstream_cache_status always;
    }
}
"""


class Proxy(NamedTuple):
    """A running nginx: the ports of its plain and of its encrypted server, and its logs' folder."""

    plain: int
    port: int
    folder: Path

    def fetch(self, path, **options):
        return servers.fetch(self.port, path, connect=encrypted, **options)

    def send(self, data):
        context = ssl.create_default_context(cafile=CERTIFICATE)
        connection = context.wrap_socket(
            socket.create_connection(("127.0.0.1", self.port), timeout=servers.DEADLINE),
            server_hostname="localhost",
        )
        connection.sendall(data)
        return connection

    def logs(self):
        return {path.name: path.read_text() for path in self.folder.glob("*.log")}


def encrypted(host, port, **options):
    context = ssl.create_default_context(cafile=CERTIFICATE)
    return HTTPSConnection("localhost", port, context=context, **options)


@contextmanager
def proxy(folder, upstream):
    """Run nginx with the example in front of a port, and yield it."""
    plain, port = free_port(), free_port()
    site = adapted(
        (ROOT / "docs/examples/nginx.conf").read_text(),
        {
            r"server 127\.0\.0\.1:8000;": f"server 127.0.0.1:{upstream};",
            r"listen 80;": f"listen 127.0.0.1:{plain};",
            r"listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            r"listen \[::\]:.*;": "",
            r"server_name .*;": "server_name localhost staging.localhost;",
            r"/etc/letsencrypt/live/.*\.pem": str(CERTIFICATE),
            r"/var/log/nginx/": f"{folder}/",
        },
    )
    with running(folder, site, port):
        yield Proxy(plain, port, folder)


@contextmanager
def cache(folder, upstream):
    """Run nginx as a cache in front of a port, and yield its port."""
    port = free_port()
    with running(folder, CACHE % {"folder": folder, "port": port, "upstream": upstream}, port):
        yield port


@contextmanager
def running(folder, site, port):
    (folder / "site.conf").write_text(site)
    # The workers of root are another user, who may not write to the folder.
    values = {"folder": folder, "site": folder / "site.conf"}
    user = "user root root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(AROUND % {**values, "user": user})
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        servers.wait_until(partial(accepts, port, process), "the start of nginx")
        yield
    finally:
        process.terminate()
        process.wait(timeout=servers.DEADLINE)


def accepts(port, process):
    assert process.poll() is None, "nginx ended"
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def adapted(text, replacements):
    """Replace what is particular to an installation. Everything to replace must occur."""
    for pattern, value in replacements.items():
        text, count = re.subn(pattern, value, text)
        assert count, f"{pattern} does not occur in the example"
    return text


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
