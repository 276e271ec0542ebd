"""The signal that a job changed, for apps that dispatch must not import.

Sent with `job_id` inside the transaction of the change. Receivers must only enqueue tasks.
"""

from django.dispatch import Signal

job_changed = Signal()
