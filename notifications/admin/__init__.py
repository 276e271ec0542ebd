"""The dispatchers' pages about messages, and the messages on a job's page."""

from notifications.admin.ledger import MessageAdmin, OptOutAdmin
from notifications.admin.on_jobs import show_messages_on_jobs
from notifications.admin.templates import MessageTemplateAdmin

show_messages_on_jobs()

__all__ = ["MessageAdmin", "MessageTemplateAdmin", "OptOutAdmin"]
