"""What happens to links, as signals for apps that tracking must not import.

`link_replaced`, with `link`, the new TrackingLink, and `actor`: sent inside the transaction.
`link_resent`, with `link` and `actor`: the office wants its customer to get it once more.
`links_wanted`: a visitor asked for the links of a phone number or email address (tracking.wanted).
"""

from django.dispatch import Signal

link_replaced = Signal()
link_resent = Signal()
links_wanted = Signal()
