"""Deploying on the walk: push, promote and roll back, as viewers see it."""

import json
import tempfile
from pathlib import Path

from django.conf import settings

from qdn.walk.steps import OK, Steps

STAGING_HOST = "staging.localhost"
SURFACES = {name: surface["path"] for name, surface in settings.SURFACES.items()}


def deploy(steps: Steps, token: str) -> tuple[str, str]:
    """Push a second release, promote it and roll back; return the names of both."""
    first = _live_everywhere(steps)
    steps.say(f"Release A is live: x-amz-meta-release {first} on {', '.join(SURFACES)}")
    with tempfile.TemporaryDirectory() as folder:
        _write_next_site(steps, Path(folder))
        second = steps.manage("push", "--source", folder, "--message", "B")["release"]
    steps.expect(second != first, "release B has the name of release A")
    _expect_everywhere(steps, second, host=STAGING_HOST)
    _expect_release(steps, f"/track-staging/{token}", second)
    _expect_everywhere(steps, first)
    steps.say(f"B pushed: staging answers {second}, production still {first}, on every surface")
    steps.manage("promote", "--yes")
    _expect_everywhere(steps, second)
    steps.say(f"B promoted: production answers {second} on every surface")
    _follow_a_change(steps)
    steps.manage("rollback", first, "--yes")
    _expect_everywhere(steps, first)
    steps.say(f"Rolled back to A: production answers {first} on every surface")
    return first, second


def _follow_a_change(steps: Steps) -> None:
    """Expect that a change reaches a tracking page of the new release."""
    check = steps.manage("verify", "--tracking")
    steps.say(
        f"A change reached its tracking page: committed in {check['write_ms']} ms, published after "
        f"{check['publish_ms']} ms, at the edge after {check['edge_ms']} ms"
    )


def _write_next_site(steps: Steps, folder: Path) -> None:
    """Download the live release's files as a viewer could, and change every page a little."""
    for row in json.loads(steps.visitor.get("/manifest.json").body):
        path = folder / row["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        content = steps.visitor.get(f"/{row['path']}").content
        is_page = path.suffix == ".html"
        path.write_bytes(content.replace(b"</body>", b"<!-- B --></body>") if is_page else content)


def _live_everywhere(steps: Steps) -> str:
    seen = {steps.visitor.get(path).release for path in SURFACES.values()}
    steps.expect(len(seen) == 1 and seen != {""}, f"surfaces answer with {seen}")
    return seen.pop()


def _expect_everywhere(steps: Steps, release: str, *, host: str = "") -> None:
    for path in SURFACES.values():
        _expect_release(steps, path, release, host=host)


def _expect_release(steps: Steps, path: str, release: str, *, host: str = "") -> None:
    def answers() -> bool:
        answer = steps.visitor.get(path, host=host)
        return answer.status == OK and answer.release == release

    steps.wait(f"{path} answers with {release}", answers)
