"""What `bin/aws-local` runs: the stand-in, with bucket and store, until it is stopped.

python -m tests.aws.local [PORT]
"""

import os
import shlex
import signal
import sys

from tests.aws import stand_in
from tests.aws.plain import PlainBoto

PORT = 4566


def main(port=PORT):
    # Ended like Ctrl-C, so that the server's process ends too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with stand_in.running(int(port)) as found:
            variables = {**stand_in.environ(found), **stand_in.SETTINGS}
            os.environ.update(variables)
            PlainBoto().create_places()
            lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
            last = "# A stand-in for AWS answers there until Ctrl-C. It keeps nothing."
            sys.stdout.write("\n".join([*lines, last, ""]))
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
