"""Builders: small sites, and an operator who pushes and switches them."""

import json
import re

from deployments.context import Caller
from deployments.deploy.deploy import deploy
from deployments.deploy.targets import canary_target, promote_target, rollback_target
from deployments.models import Environment
from deployments.push import push
from deployments.releases.upload import make_release
from deployments.releases.upload_plan import plan_release
from deployments.sources.source import opened_source

PAGES = ["index.html", "book/index.html", "track/index.html", "dashboard/index.html", "404.html"]


def write_site(folder, *, mark="A", extra=0, more=None):
    """Write the four surfaces, an error page, a shared asset and `extra` more files.

    `more` are others: text by path.
    """
    files = {path: f"<!doctype html><title>{mark}</title>{path}" for path in PAGES}
    files["assets/site.0123456789ab.css"] = "body{color:#123}"
    files |= more or {}
    files |= {f"more/{number}.txt": f"{mark} {number}" for number in range(extra)}
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return folder


def files_of(source):
    """Return the files of a source, all hashed."""
    with opened_source(source) as files:
        return list(files)


class Operator:
    """An operator who calls the services behind the commands."""

    def __init__(self, backend, folder):
        self.backend = backend
        self.folder = folder
        self.said = []

    @property
    def caller(self):
        return Caller(actor="olga", say=self.said.append)

    def release(self, mark="A", *, extra=0, environment="staging", repair=False):
        """Push a site without deploying it."""
        return self._push(mark, extra, environment, deploys=False, repair=repair)

    def push(self, mark="A", *, extra=0, to="staging", more=None):
        """Push a site to an environment."""
        return self._push(mark, extra, to, more=more)

    def release_of(self, files):
        """Make a release of exactly these files, given as text by path."""
        folder = self.folder / f"site-{len(list(self.folder.iterdir()))}"
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        objects = self.backend.objects
        plan = plan_release(objects=objects, files=files_of(folder), environment=None)
        return make_release(
            objects=objects, plan=plan, message="", actor="olga", say=self.said.append
        )

    def _push(self, mark, extra, environment, *, more=None, **options):
        source = write_site(self.folder / f"site-{mark}", mark=mark, extra=extra, more=more)
        environment = Environment.objects.named(environment)
        pushed = push(
            self.backend, environment, caller=self.caller, source=source, message=mark, **options
        )
        return pushed.release

    def promote(self, release=None):
        named = Environment.objects.named
        source, to = named("staging"), named("production")
        return self.deploy(promote_target(source=source, to=to, release=release, actor="olga"))

    def rollback(self, release=None, *, environment="production"):
        environment = Environment.objects.named(environment)
        return self.deploy(rollback_target(environment=environment, release=release, actor="olga"))

    def canary(self, percent, release=None):
        named = Environment.objects.named
        source, to = named("staging"), named("production")
        return self.deploy(
            canary_target(source=source, to=to, percent=percent, release=release, actor="olga")
        )

    def deploy(self, target):
        return deploy(self.backend, target, say=self.said.append)

    def served(self, host="localhost", path="/"):
        """Return the release the edge serves there."""
        return self.backend.viewer.fetch(host, path).headers.get("x-amz-meta-release")

    def audits(self):
        """Read the audit objects of deployments, in the order of their times and numbers."""
        objects = self.backend.objects
        keys = [one.key for one in objects.list("audit/") if re.match(r"audit/\d", one.key)]
        in_order = sorted(keys, key=lambda key: [int(part) for part in re.findall(r"\d+", key)])
        return [json.loads(objects.get(key).body) for key in in_order]
