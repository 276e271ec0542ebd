"""The signals that jobs changed, for apps that dispatch must not import.

They are sent inside the transaction of the change, so receivers must be quick: enqueue a task,
mark rows.

- `job_changed`, with `job_id` and `event`, its JobEvent: the job has a new revision. With `quiet`,
  customers are not to hear of it.
- `names_changed`, with `jobs`, a QuerySet: what customers see of these jobs' crew or service
  changed. Their revisions did not, since there may be very many.
"""

from django.dispatch import Signal

job_changed = Signal()
names_changed = Signal()
