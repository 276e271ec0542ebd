"""English texts."""

from notifications.kinds import Event
from notifications.texts.text import texts

CLOSING = """
Questions? Call us at {phone}.

{firm}
"""

EMAILS = {
    Event.RECEIVED: (
        "We have your request {number}",
        """
{greeting}

Thank you. We have your request for {service}, and its number is {number}.

Next, we check it and confirm a price and an arrival window. Nothing is due until then.

Follow your job here:
{link}
""",
    ),
    Event.SCHEDULED: (
        "You are booked: {window}",
        """
{greeting}

Your job {number} is booked.

Service: {service}
Arrival window: {window}
Price: {price}

Our crew arrives within this window. The appointment is attached for your calendar.

Follow your job here:
{link}
""",
    ),
    Event.RESCHEDULED: (
        "Your new arrival window: {window}",
        """
{greeting}

The arrival window of your job {number} has changed.

New window: {window}

The updated appointment is attached for your calendar. If the time does not work for you, call us
and we will find another one.

Follow your job here:
{link}
""",
    ),
    Event.REMINDER: (
        "Reminder: we arrive {window}",
        """
{greeting}

A reminder of your job {number}.

Service: {service}
Arrival window: {window}
Price: {price}

Please keep the driveway clear, and have everything within reach.

Follow your job here:
{link}
""",
    ),
    Event.ON_THE_WAY: (
        "Your crew is on the way",
        """
{greeting}

The crew for your job {number} is on the way to you. Please keep the driveway clear.

Follow your job here:
{link}
""",
    ),
    Event.RUNNING_LATE: (
        "We are running {late}",
        """
{greeting}

We are running {late} for your job {number}. The window we promised is {window}. We are sorry.

We have not forgotten you and will be there as soon as we can. If you can no longer wait, call us.

Follow your job here:
{link}
""",
    ),
    Event.COMPLETED: (
        "Your receipt for {number}",
        """
{greeting}

All done. Thank you for hauling with us.

Job: {number}
Service: {service}
Price: {price}

Your receipt stays here:
{link}
""",
    ),
    Event.CANCELLED: (
        "Your job {number} is cancelled",
        """
{greeting}

Your job {number} is cancelled, and no crew will come.

If this was not what you wanted, call us. We are glad to book it again.
""",
    ),
    Event.LINK_REPLACED: (
        "Your new link for {number}",
        """
{greeting}

There is a new link for your job {number}. The old one no longer works.

Follow your job here:
{link}
""",
    ),
    Event.LINK_REQUESTED: (
        "Your link for {number}",
        """
{greeting}

This is the link of your job {number}. Anyone who has it can follow the job, so share it with care.

Follow your job here:
{link}
""",
    ),
    Event.PRICE_CHANGED: (
        "The price of your job {number} has changed",
        """
{greeting}

The price of your job {number} is now {price}.

If you did not expect this, answer on your job's page or call us before the crew comes:
{link}
""",
    ),
    Event.CUSTOMER_WROTE: (
        "We have what you sent about {number}",
        """
{greeting}

Thank you. What you sent about your job {number} has arrived, and our office and the crew see it.

If it needs anything from us, we get in touch.

Follow your job here:
{link}
""",
    ),
}

SMS = {
    Event.RECEIVED: "{firm}: We have your request {number}. Follow it: {link} Reply STOP to end, "
    "HELP for help.",
    Event.SCHEDULED: "{firm}: You are booked for {window}. Details: {link} Reply STOP to end.",
    Event.RESCHEDULED: "{firm}: Your new arrival window is {window}. Details: {link}",
    Event.REMINDER: "{firm}: Reminder: we arrive {window}. Details: {link}",
    Event.ON_THE_WAY: "{firm}: Your crew is on the way. Follow it: {link}",
    Event.RUNNING_LATE: "{firm}: We are running {late}, sorry. Call {phone} or see {link}",
    Event.COMPLETED: "{firm}: All done, thank you! Your receipt: {link}",
    Event.CANCELLED: "{firm}: Your job {number} is cancelled. Not what you wanted? Call {phone}.",
    Event.LINK_REPLACED: "{firm}: Your new link; the old one no longer works: {link}",
    Event.LINK_REQUESTED: "{firm}: The link of your job {number}: {link}",
    Event.PRICE_CHANGED: "{firm}: The price is now {price}. Questions? {phone} {link}",
    Event.CUSTOMER_WROTE: "{firm}: We have what you sent about {number}. Your job: {link}",
}

ENGLISH = texts(EMAILS, SMS, closing=CLOSING)
