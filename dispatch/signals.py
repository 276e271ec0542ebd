"""Word that a job changed, for apps that dispatch does not know of.

Sent inside the transaction of the change with `job_id`; a receiver enqueues a task and does
nothing else.
"""

from django.dispatch import Signal

job_changed = Signal()
