"""The dispatchers' pages: forms and lists only. All writes go through booking.py, changing.py."""

from dispatch.admin.accounts import GroupAdmin, UserAdmin
from dispatch.admin.job import JobAdmin
from dispatch.admin.people import CrewAdmin, CustomerAdmin, ServiceTypeAdmin

__all__ = [
    "CrewAdmin",
    "CustomerAdmin",
    "GroupAdmin",
    "JobAdmin",
    "ServiceTypeAdmin",
    "UserAdmin",
]
