"""Kills a real process at each store operation of a command in turn.

test_killed.py runs it as `python -m tests.deployments.killing push`. Only a migrated database is
in DATA_DIR. Each attempt is a forked process that sends itself SIGKILL just before its n-th store
operation. Then the environment is requested through the edge, the command runs again, and the
history is compared with what was served. The walk ends with a run that met no n-th operation, and
prints the names of the operations that were killed.
"""

import json
import os
import signal
import sys
import threading
from datetime import timedelta
from functools import wraps
from itertools import count
from pathlib import Path

import django
from django.utils import timezone

MOST_OPERATIONS = 150
OPERATIONS = {
    "edge.backends.local.objects.FolderStore": ["head", "get", "list"],
    "edge.backends.local.rows.RowKeyValueStore": ["etag", "get", "items", "update"],
    "edge.backends.local.rows.RowFunctionHost": ["live", "stage", "test", "publish"],
    "edge.backends.local.rows.RowDistribution": ["invalidate", "status"],
    "edge.backends.viewers.InProcessViewer": ["fetch"],
}


class Killer:
    """Kills this process at the n-th operation, before anything can clean up."""

    def __init__(self, at, log):
        self.at, self.log, self.seen = at, log, 0
        self.within = threading.local()

    def meet(self, operation):
        self.seen += 1
        if self.seen == self.at:
            self.log.write_text(operation)
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self):
        from django.utils.module_loading import import_string  # noqa: PLC0415

        from edge.backends.local.objects import FolderStore  # noqa: PLC0415

        for name, methods in OPERATIONS.items():
            kind = import_string(name)
            for method in methods:
                self._before(kind, method)
        self._before(FolderStore, "_write")
        delete = FolderStore.delete

        def one_by_one(store, keys):
            for key in keys:
                self.meet(f"FolderStore.delete {key}")
                delete(store, [key])

        FolderStore.delete = one_by_one

    def _before(self, kind, method):
        real = getattr(kind, method)

        @wraps(real)
        def call(part, *args, **kwargs):
            if getattr(self.within, "operation", False):
                return real(part, *args, **kwargs)
            self.meet(f"{kind.__name__}.{method} {_short(args)}")
            self.within.operation = True  # a listing reads each object, but is one operation
            try:
                found = real(part, *args, **kwargs)
                return iter(list(found)) if method == "list" else found
            finally:
                self.within.operation = False

        setattr(kind, method, call)


def _short(args):
    return " ".join(str(argument) for argument in args if isinstance(argument, str | Path))[-80:]


class Scene:
    """Environments on a local back end with files, a database and two releases."""

    environment, host = "production", "localhost"

    def __init__(self, folder):
        self.folder = folder
        self.names = {}
        self.push("A")
        self.call("promote")
        self.push("B")

    def call(self, name, *args):
        from django.core.management import call_command  # noqa: PLC0415

        call_command(name, *args, yes=True, json=True, stdout=open(os.devnull, "w"))  # noqa: SIM115

    def site(self, mark):
        from tests.deployments.sites import write_site  # noqa: PLC0415

        folder = write_site(self.folder / mark, mark=mark)
        # A page is one release's together with the assets it refers to.
        (folder / f"assets/{mark}.0123456789ab.css").write_text(mark)
        return folder

    def push(self, mark):
        self.call("push", f"--source={self.site(mark)}")
        self.names[mark] = self.live("staging")

    def live(self, environment):
        from deployments.models import Environment  # noqa: PLC0415

        live = Environment.objects.get(name=environment).live
        return live.release.name if live else None

    def served(self):
        """Load each page and the asset it refers to; return the mark that all of them show."""
        from edge.backends import get_backend  # noqa: PLC0415

        viewer = get_backend().viewer
        marks = set()
        for path in ("/", "/book/", "/track/token", "/dashboard/"):
            page = viewer.fetch(self.host, path)
            expect(page.status == 200, f"{path} answered {page.status}")
            mark = page.body.decode().partition("<title>")[2].partition("<")[0]
            asset = viewer.fetch(self.host, f"/assets/{mark}.0123456789ab.css")
            expect(asset.body.decode() == mark, f"the asset of {mark} is gone")
            marks.add(mark)
        expect(len(marks) == 1, f"pages of {marks} are served at once")
        return marks.pop()

    def check_history(self, killed, seen, mark):
        """Check that history and edge agree, and that killed attempts have their true outcome.

        `seen` was served after the kill, and `mark` is now.
        """
        from deployments.models import DeployLock, Deployment, Environment  # noqa: PLC0415
        from edge.backends import get_backend  # noqa: PLC0415

        environment = Environment.objects.get(name=self.environment)
        expect(not environment.deployments.unfinished().exists(), "a deployment has no end")
        expect(not DeployLock.objects.exists(), "a lock is left")
        expect(self.mark_of(environment.live.release) == mark, f"history and {mark} differ")
        for deployment in Deployment.objects.filter(pk__in=killed):
            happened = self.mark_of(deployment.release) == seen
            result = deployment.outcome.result
            expect((result == "succeeded") == happened, f"{deployment} is recorded as {result}")
        audits = {one.key for one in get_backend().objects.list("audit/2")}
        expect(len(audits) == Deployment.objects.count(), "an audit object is missing")

    def wanted(self, number, seen):
        """Return the marks that may be served once the command has run again."""
        return self.possible(number, seen) - {seen}

    def check_whole(self):
        """Check what must hold right after the kill, besides what is served."""

    def mark_of(self, release):
        from edge.backends import get_backend  # noqa: PLC0415

        body = get_backend().objects.get(release.key("index.html")).body.decode()
        return body.partition("<title>")[2].partition("<")[0]


class Push(Scene):
    """Each attempt pushes something new to staging."""

    environment, host = "staging", "staging.localhost"

    def command(self, number):
        return ["push", f"--source={self.site(f'C{number}')}"]

    def possible(self, number, seen):
        return {seen, f"C{number}"}


class Promote(Scene):
    """Attempts promote B and A to production in turn."""

    def command(self, number):
        return ["promote", f"--release={self.names['AB'[number % 2]]}"]

    def possible(self, number, seen):
        return {"A", "B"}


class Rollback(Scene):
    """Attempts roll production back to A and to B in turn; both were live."""

    def __init__(self, folder):
        super().__init__(folder)
        self.call("promote")

    def command(self, number):
        return ["rollback", self.names["BA"[number % 2]]]

    def possible(self, number, seen):
        return {"A", "B"}


class Prune(Scene):
    """Each attempt removes a release that nothing needs; production served A and serves B."""

    def __init__(self, folder):
        from django.conf import settings  # noqa: PLC0415

        super().__init__(folder)
        self.call("promote")
        settings.PRUNE_KEEP_DAYS = settings.PRUNE_KEEP_NEWEST = 0

    def command(self, number):
        """Make a release to remove: pushed, and marked long ago."""
        from deployments.models import Release  # noqa: PLC0415

        self.call("push", f"--source={self.site(f'C{number}')}", "--no-deploy")
        self.call("prune")
        long_ago = timezone.now() - timedelta(days=2)
        Release.objects.present().filter(marked_at__isnull=False).update(marked_at=long_ago)
        return ["prune"]

    def possible(self, number, seen):
        return {seen}

    def wanted(self, number, seen):
        return {seen}

    def check_history(self, killed, seen, mark):
        from deployments.models import Release  # noqa: PLC0415
        from edge.backends import get_backend  # noqa: PLC0415

        super().check_history(killed, seen, mark)
        self.check_whole()
        present = {one.name for one in Release.objects.complete()}
        expect(present == set(self.names.values()), f"listed are {present}")
        expect(not Release.objects.filter(marked_at__isnull=False).exists(), "a mark is left")
        keys = {one.key for one in get_backend().objects.list("")}
        left = [key for key in keys if "C" in key.partition("assets/")[2]]
        left += [key for key in keys if key.startswith("releases/") and key[9:33] not in present]
        expect(not left, f"{left} are left")

    def check_whole(self):
        """Check that every listed release is whole, killed or not."""
        from deployments.models import Release  # noqa: PLC0415
        from deployments.releases.store import object_sizes, read_manifest  # noqa: PLC0415
        from edge.backends import get_backend  # noqa: PLC0415

        objects = get_backend().objects
        stored = object_sizes(objects, "")
        for release in Release.objects.complete():
            for artifact in read_manifest(objects, release):
                key = artifact.key(release.name)
                expect(stored.get(key) == artifact.size, f"{key} is gone, {release} is listed")


SCENES = {"push": Push, "promote": Promote, "rollback": Rollback, "prune": Prune}


def expect(holds, message):
    if not holds:
        raise SystemExit(f"{message}")


def walk(scene, log):
    """Kill at operation 1, 2, 3, ...; return their names."""
    from deployments.models import Deployment  # noqa: PLC0415

    operations = []
    now = scene.served()
    for number in count(1):
        expect(number < MOST_OPERATIONS, "there is no end of operations")
        seen = now
        command = scene.command(number)
        status = in_a_process(scene, command, Killer(number, log))
        if os.WIFEXITED(status):
            expect(os.WEXITSTATUS(status) == 0, f"{command} failed")
            return operations
        expect(os.WTERMSIG(status) == signal.SIGKILL, f"{command} died of something else")
        operations.append(log.read_text())
        where = f"killed at {operations[-1]} ({number})"
        served = scene.served()
        killed = list(Deployment.objects.unfinished().values_list("pk", flat=True))
        expect(served in scene.possible(number, seen), f"{where}: {served} is served")
        scene.check_whole()
        again = in_a_process(scene, command, None)
        expect(os.WIFEXITED(again) and os.WEXITSTATUS(again) == 0, f"{where}: no way on")
        now = scene.served()
        expect(now in scene.wanted(number, seen), f"{where}: not finished")
        scene.check_history(killed, served, now)
    return None


def in_a_process(scene, command, killer):
    """Run a command in a new process; return its exit status."""
    from django.db import connections  # noqa: PLC0415

    connections.close_all()
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    code = 1
    try:
        if killer:
            killer.install()
        scene.call(*command)
        code = 0
    except BaseException as error:
        sys.stderr.write(f"{command}: {error}\n")
    os._exit(code)


def main(name):
    os.environ["DJANGO_SETTINGS_MODULE"] = "qdn.settings"
    django.setup()
    from django.conf import settings  # noqa: PLC0415

    folder = Path(settings.DATA_DIR)
    operations = walk(SCENES[name](folder / "sites"), folder / "killed-at")
    sys.stdout.write(json.dumps(operations))


if __name__ == "__main__":
    main(sys.argv[1])
