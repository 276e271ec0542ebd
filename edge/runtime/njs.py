"""Runs an edge function with the `njs` command, whose engine is close to CloudFront's.

For tests, and to check a function before it is published, if njs is installed. One process handles
many events. The source runs as shipped, except for the line `import cf from 'cloudfront'`, which
njs does not support.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import BackendUnavailable, FunctionFailed

_TIMEOUT_SECONDS = 60
_IMPORT = re.compile(r"^import cf from 'cloudfront';$", re.M)
_HARNESS = """
const __runs = %s;
let __values = {};
let __reads = 0;
const cf = { kvs: function () { return { get: async function (key, options) {
  __reads++;
  if (__values[key] === undefined) { throw new Error('KeyNotFound'); }
  return options && options.format === 'json' ? JSON.parse(__values[key]) : __values[key];
} }; } };
"""
_DRIVER = """
async function __drive() {
  const say = console.log;
  for (let i = 0; i < __runs.length; i++) {
    const run = __runs[i];
    __values = run.keyvalues;
    __reads = 0;
    Date.now = function () { return run.now * 1000; };
    let output = null;
    let error = '';
    try { output = await handler(run.event); } catch (e) { error = String(e); }
    say(JSON.stringify({ output: output, error: error, reads: __reads }));
  }
}
__drive();
"""


@dataclass(frozen=True, slots=True)
class NjsRun:
    """One event, with the content of the key-value store and the time in Unix seconds."""

    event: Mapping[str, Any]
    keyvalues: Mapping[str, str]
    now: float


@dataclass(frozen=True, slots=True)
class NjsResult:
    """The function's result or error. `reads` counts its reads of the key-value store."""

    output: Mapping[str, Any] | None
    error: str
    reads: int


def njs_command() -> str | None:
    """Return the path of the njs command, or None if it is not installed."""
    return shutil.which("njs")


def run_in_njs(source: str, runs: Sequence[NjsRun]) -> list[NjsResult]:
    """Run a function on events, in one process.

    Raises FunctionFailed for a syntax error, BackendUnavailable if njs is not installed.
    """
    given = [{"event": run.event, "keyvalues": run.keyvalues, "now": run.now} for run in runs]
    program, count = _IMPORT.subn("", source)
    if count > 1:
        raise FunctionFailed("Expected one line that imports cloudfront, found several.")
    output = _execute(_HARNESS % json.dumps(given) + program + _DRIVER)
    results = [NjsResult(**json.loads(line)) for line in output.splitlines()]
    if len(results) != len(runs):
        raise FunctionFailed(f"njs answered {len(results)} of {len(runs)} events: {output[-500:]}")
    return results


def check_syntax(source: str) -> None:
    """Raise FunctionFailed if njs cannot compile a function."""
    run_in_njs(source, [])


def _execute(program: str) -> str:
    command = njs_command()
    if command is None:
        raise BackendUnavailable(
            "The njs command is not installed.", "Install Debian's package njs."
        )
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "function.js")
        script.write_text(program, encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - our own file, no shell
            [command, str(script)],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    if done.returncode or "SyntaxError" in done.stderr + done.stdout[:200]:
        raise FunctionFailed(f"njs rejected the function: {(done.stderr or done.stdout).strip()}")
    return done.stdout
