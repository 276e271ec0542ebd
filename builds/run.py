"""Building a commit: check it out, run its command, push the folder that it made.

`ask` records a build and `run` carries it out, in a hook's process or a task. However it ends, the
build has a state and a log, its processes are killed and its folder is removed. If this process is
killed, the repository's next build does that (builds/turns.py).
"""

from pathlib import Path

from builds.command import Limits, check_user, run_command
from builds.delivery import PATIENCE, Target, deliver, target_of
from builds.folders import Folder, folder_of
from builds.git import Repository, is_nothing, open_repository
from builds.log import Log, Say
from builds.models import Build
from builds.turns import Superseded, check_newest, claim, end, wait_for_turn
from deployments.context import Caller
from deployments.errors import ChangedMeanwhile, DeploymentError, Refused
from deployments.operations.alive import renewed
from deployments.releases.provenance import Provenance
from deployments.sources.build_tables import BuildSettings
from deployments.sources.site_file import SITE_FILE, SiteFile, parse_file
from edge.errors import EdgeError

State = Build.State
KEPT = 200


def ask(
    *,
    repository: Path,
    branch: str,
    commit: str,
    actor: str,
    before: str = "",
    is_queued: bool = False,
) -> Build:
    """Record that a commit of a branch is to be built. Raises Refused.

    With `before`, the branch must still be at that commit when the build deploys (zeros: it must
    not exist yet). With `is_queued`, a task is to run it (builds/queue.py).
    """
    found = open_repository(repository)
    known = found.commit(commit)
    Provenance(known.sha, branch, known.author)  # refuses what a release cannot keep
    return Build.objects.create(
        repository=str(found.path),
        branch=branch,
        commit=known.sha,
        before=before,
        author=known.author,
        message=known.subject,
        actor=actor,
        is_queued=is_queued,
    )


def run(build: Build, *, say: Say | None = None) -> Build:
    """Carry a build out and record its log; `say` gets each line of it.

    Raises Refused, ChangedMeanwhile, PartlyChanged, EdgeError, with the build ended.
    """
    claim(build)
    log = Log(build, say=say)
    try:
        with renewed(Build.objects.unfinished().filter(pk=build.pk)):
            _carry_out(build, log)
    except Superseded as error:
        state = State.SKIPPED if build.started_at is None else State.CANCELLED
        _fail(build, log, state, str(error))
        raise
    except (DeploymentError, EdgeError) as error:
        _fail(build, log, State.FAILED, str(error))
        raise
    except BaseException as error:
        _fail(build, log, State.FAILED, f"The build ended early: {error or type(error).__name__}")
        raise
    finally:
        _forget_old()
    return build


def _carry_out(build: Build, log: Log) -> None:
    repository = open_repository(Path(build.repository))
    log.say(f"Build {build.pk}: {build.branch} at {build.commit[:10]}, {build.message}")
    wait_for_turn(build, log)
    build.refresh_from_db()
    file, body = _read_file(repository, build.commit)
    assert file.build is not None  # noqa: S101 - _read_file has looked
    target = target_of(build.branch, file.branches)
    _check_not_moved(build, repository)
    check_user()
    with folder_of(build) as folder:
        output = _build(build, repository, folder, file.build, log)
        _add_site_file(output, body)
        _check(build, log)
        _check_not_moved(build, repository)
        _deliver(build, target, output, log)


def _read_file(repository: Repository, commit: str) -> tuple[SiteFile, bytes]:
    """Read `qdn.toml` of a commit. Raises Refused."""
    body = repository.file(commit, SITE_FILE) or b""
    file = parse_file(body)
    if file.build is None:
        raise Refused(
            "build-unset",
            f"This commit does not say how it is built: expected a table [build] in {SITE_FILE}.",
            "Write it with: manage.py init DIR. Then commit it and push again.",
        )
    return file, body


def _build(
    build: Build, repository: Repository, folder: Folder, wanted: BuildSettings, log: Log
) -> Path:
    """Check the commit out and run its command; return the folder to push. Raises Refused."""
    log.say(f"Check out {build.commit[:10]}")
    repository.check_out(build.commit, folder.checkout)
    if (folder.checkout / ".gitmodules").exists():
        log.say("Submodules are not checked out")
    folder.hand_over()
    if wanted.command:
        log.say(f"Run: {wanted.command}")
        limits = Limits.of(wanted)
        run_command(
            wanted.command, folder=folder, limits=limits, log=log, check=lambda: _check(build, log)
        )
    return _output_of(folder, wanted)


def _check(build: Build, log: Log) -> None:
    """Give up a build that is not wanted any more. Raises Superseded, ChangedMeanwhile."""
    check_newest(build)
    if not log.is_heard:
        raise ChangedMeanwhile(
            "pusher-gone",
            "The connection of the push was lost, so git will not accept it.",
            "Push again.",
        )


def _output_of(folder: Folder, wanted: BuildSettings) -> Path:
    """Return the folder with the built site. Raises Refused."""
    root = folder.checkout.resolve()
    output = (root / wanted.output).resolve()
    if not output.is_dir() or not output.is_relative_to(root):
        raise Refused(
            "output-missing",
            f"The build made no folder '{wanted.output}'.",
            "Correct 'output' in [build] of qdn.toml: the folder that the command builds into.",
        )
    return output


def _add_site_file(output: Path, body: bytes) -> None:
    """Put `qdn.toml` of the commit into the built site, whose [site] it is, unless it has one."""
    place = output / SITE_FILE
    if not place.exists() and not place.is_symlink():
        place.write_bytes(body)


def _check_not_moved(build: Build, repository: Repository) -> None:
    """Refuse to deploy what git will not accept: the branch has moved. Raises ChangedMeanwhile."""
    if not build.before:
        return
    tip = repository.tip(build.branch)
    if tip != ("" if is_nothing(build.before) else build.before):
        raise ChangedMeanwhile(
            "branch-moved",
            f"{build.branch} has moved to {tip[:10] or 'nothing'} since this push began.",
            "Fetch it, then push again.",
        )


def _deliver(build: Build, target: Target, output: Path, log: Log) -> None:
    log.say(f"Push {build.commit[:10]} to {target}")
    caller = Caller(actor=build.actor, say=log.say, patience=PATIENCE)
    release, address = deliver(build, target, output, caller)
    url = f"{address.rstrip('/')}/"
    Build.objects.filter(pk=build.pk).update(
        release=release, url=url, environment=target.environment.name
    )
    end(build, State.DEPLOYED)
    where = "is shown at" if target.is_preview else f"is live in {target}:"
    log.say(f"{build.branch} at {build.commit[:10]} {where} {url}")


def _fail(build: Build, log: Log, state: Build.State, why: str) -> None:
    end(build, state, log.fault(why))


def _forget_old() -> None:
    """Keep the last builds, and those that have not ended."""
    for old in Build.objects.ended().order_by("-pk")[KEPT:]:
        old.delete()
