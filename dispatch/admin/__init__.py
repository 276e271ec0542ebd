"""The dispatchers' pages. They show, ask and call booking.py and changing.py; nothing else."""

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
