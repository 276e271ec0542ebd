"""Requesting a task that sends. The rows say what is to be sent; a task only says when: now."""

from tracking.queue import enqueue_unless_waiting

SEND = "notifications.tasks.send"
QUEUE = "messages"


def request_sending() -> None:
    """Enqueue sending once the change is committed, unless a task waits already.

    After an outage of the queue, its heartbeat sends (qdn/tasks/heartbeat.py).
    """
    enqueue_unless_waiting(SEND, queue=QUEUE, group="messages")
