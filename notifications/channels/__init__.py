"""Handing messages to servers.

A channel calls `handing_over` when nothing has been sent yet that the server would keep, as late as
it can. Before that call every fault means that nothing was sent; after it, only the server's answer
says what happened.
"""

from notifications.channels.faults import MessageDelayed, MessageRefused, MessageUncertain

__all__ = ["MessageDelayed", "MessageRefused", "MessageUncertain"]
