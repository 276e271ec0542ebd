"""The dispatchers' pages: forms and lists only. All writes go through booking.py, changing.py."""

from dispatch.admin.accounts import GroupAdmin, UserAdmin
from dispatch.admin.catalogue import AreaInterestAdmin, ServedZipAdmin, ServiceTypeAdmin
from dispatch.admin.job import JobAdmin
from dispatch.admin.people import CrewAdmin, CustomerAdmin
from dispatch.admin.window_rules import (
    BookingSettingsAdmin,
    WindowExceptionAdmin,
    WindowTemplateAdmin,
)
from dispatch.admin.windows import ServiceWindowAdmin

__all__ = [
    "AreaInterestAdmin",
    "BookingSettingsAdmin",
    "CrewAdmin",
    "CustomerAdmin",
    "GroupAdmin",
    "JobAdmin",
    "ServedZipAdmin",
    "ServiceTypeAdmin",
    "ServiceWindowAdmin",
    "UserAdmin",
    "WindowExceptionAdmin",
    "WindowTemplateAdmin",
]
