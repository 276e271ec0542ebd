"""gunicorn's settings, for `gunicorn -c qdn/gunicorn.conf.py`; options on its command line win."""

import os

wsgi_app = "qdn.wsgi"
bind = "127.0.0.1:8000"

# Threads get whole requests, so viewers who send slowly, or stop, hold none of them.
worker_class = "qdn.gunicorn_worker.WholeRequestWorker"
# Python runs one thread of a process at a time, so one process per core. Each has a cache of 64 MB.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# A thread waits for the database, or for a viewer who reads a large file slowly. More threads
# compete for Python's lock, and each can hold one of PostgreSQL's 100 connections.
threads = 8
# Connections of a process. Waiting costs a connection its file descriptor, of which a process has
# 1,024 by default, and what it has sent so far, at most DATA_UPLOAD_MAX_MEMORY_SIZE (1 MB); a
# larger archive for the deployment API is in a file.
worker_connections = 400
# How many seconds a request can take to arrive (a large body has more); also how long a process can
# hang before it is replaced. A form of 2 KB takes 30 seconds over a connection that has nearly
# stopped.
timeout = 30
# Python's socket.sendfile waits without end for a viewer who takes nothing of a file; other answers
# end after `timeout`.
sendfile = False
# Longer than the 60 seconds for which nginx keeps a connection. Otherwise gunicorn could close one
# just as nginx sends a booking over it, and nginx must not repeat that.
keepalive = 75
# A stop waits this long for requests in progress, such as a booking behind SQLite's lock (20 s).
graceful_timeout = 30
# As large as what nginx accepts by default: a longer one would get two different answers.
limit_request_line = 8190
# Paths contain tracking tokens.
accesslog = None
# Would put a socket into the home folder; signals (HUP, TERM) do all that is needed.
control_socket_disable = True


def on_starting(server: object) -> None:
    """End before the workers start if the settings are unsafe; each would say so otherwise."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    from qdn.checks import refuse_unsafe_settings  # noqa: PLC0415 - needs the settings module

    refuse_unsafe_settings()
