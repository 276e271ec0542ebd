"""The task queue's admin pages in the admin theme.

Dispatchers get no permission on them: adding a schedule means running code.
"""

from django.contrib import admin
from django_q import admin as queue
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin

for model, original in (
    (Schedule, queue.ScheduleAdmin),
    (Success, queue.TaskAdmin),
    (Failure, queue.FailAdmin),
    (OrmQ, queue.QueueAdmin),
):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
        admin.site.register(model, type(original.__name__, (original, ModelAdmin), {}))
