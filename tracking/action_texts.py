"""What pages say about the actions of customers."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dispatch.customer_actions.results import Result
from dispatch.customer_actions.rules import Action

Text = str | Promise


@dataclass(frozen=True, slots=True)
class ActionText:
    """`label` and `text` offer the action; the others are its page's, `refused` without a form."""

    label: Text
    text: Text
    lead: Text
    button: Text
    refused: Text


TEXTS = {
    Action.PRICE: ActionText(
        _("Answer about the new price"),
        _("Say yes or no, or have us call you."),
        _("The price of your job has changed. Is that all right?"),
        _("Send my answer"),
        _("Nothing to answer"),
    ),
    Action.PICKUP: ActionText(
        _("It is full: pick it up"),
        _("Choose when we come."),
        _("Choose when we come for the dumpster."),
        _("Ask for the pickup"),
        _("No pickup to choose"),
    ),
    Action.MOVE: ActionText(
        _("Move to another time"),
        _("Choose one that is free. It is yours at once."),
        _("Choose a time that is free. It is yours once you send this, in place of the old one."),
        _("Move my job"),
        _("We cannot move this online"),
    ),
    Action.PHOTOS: ActionText(
        _("Add photos or a note"),
        _("They help the crew bring what the job needs."),
        _("The crew sees them before it comes."),
        _("Send to the crew"),
        _("Nothing can be added"),
    ),
    Action.GATE: ActionText(
        _("Give a gate code"),
        _("Only our office and crew see it."),
        _("Only our office and crew see it. This page never shows it, and we delete it a day after "
          "the job."),
        _("Save for the crew"),
        _("Nothing can be added"),
    ),
    Action.CANCEL: ActionText(
        _("Cancel this job"),
        _("If you no longer need us."),
        _("No crew comes then. A cancelled job stays cancelled, but you can book a new one."),
        _("Cancel my job"),
        _("We cannot cancel this online"),
    ),
}  # fmt: skip

DONE = {
    Result.MOVED: _("Done. Your job has its new time."),
    Result.CANCELLED: _("Done. Your job is cancelled, and no crew comes."),
    Result.PICKUP: _("Done. We come for the dumpster at the time you chose."),
    Result.PICKUP_ASKED: _(
        "We have your request for the pickup. We confirm a time with you; none is promised yet."
    ),
    Result.PRICE_ACCEPTED: _("Thank you. We have noted that the new price is fine."),
    Result.PRICE_REFUSED: _(
        "Thank you. We have noted that you do not agree, and call you before the crew comes."
    ),
    Result.CALL_ASKED: _("Thank you. We call you about the price."),
    Result.ADDED: _("Thank you. The crew sees what you sent."),
    Result.CODE_GIVEN: _("Thank you. Our office and crew have your code."),
}
