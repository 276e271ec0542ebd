"""The task queue's pages in the admin's look. Dispatchers get no permission on them: whoever may
add a schedule can run code.
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
