"""The table of rules, most urgent first. docs/reference/needs-you.md explains it."""

from django.conf import settings
from django.utils.module_loading import import_string

from dispatch.errors import ValueRefused
from dispatch.needs import job_sets, sentences
from dispatch.needs.rules import JobRule, OfficeRule, Rule

NEW_WINDOW = "Set a new window"
PLAN_PICKUP = "Plan the pickup"
WINDOW_FIELD = "id_free_window"

RULES: tuple[Rule, ...] = (
    JobRule(
        code="late",
        name="Late",
        meaning="scheduled or on the way, and the window is over",
        act="window",
        label=NEW_WINDOW,
        part=WINDOW_FIELD,
        jobs=job_sets.late,
        sentence=sentences.late,
    ),
    JobRule(
        code="ready-and-over",
        name="Ready, window over",
        meaning="ready for pickup, and the window is over",
        act="window",
        label=NEW_WINDOW,
        part=WINDOW_FIELD,
        jobs=job_sets.ready_and_over,
        sentence=sentences.ready_and_over,
    ),
    JobRule(
        code="failed-visit",
        name="Visit failed",
        meaning="the crew could not do it; no new window and no step since",
        act="window",
        label=NEW_WINDOW,
        part=WINDOW_FIELD,
        jobs=job_sets.failed_visit,
        sentence=sentences.failed_visit,
    ),
    JobRule(
        code="no-crew",
        name="No crew",
        meaning="no crew, and the window starts within 18 hours or runs now",
        act="assign",
        label="Assign a crew",
        part="id_crew",
        jobs=job_sets.no_crew,
        sentence=sentences.no_crew,
    ),
    JobRule(
        code="unanswered",
        name="Unanswered request",
        meaning="requested at least 2 hours ago, and not on hold",
        act="open",
        label="Answer the request",
        jobs=job_sets.unanswered,
        sentence=sentences.unanswered,
    ),
    JobRule(
        code="no-price",
        name="No price",
        meaning="no price, and the window starts within a day or has started",
        act="price",
        label="Agree a price",
        part="id_price_text",
        jobs=job_sets.no_price,
        sentence=sentences.no_price,
    ),
    JobRule(
        code="price-question",
        name="Price not agreed",
        meaning="the price changed, and the customer has not accepted it",
        act="open",
        label="Settle the price",
        part="id_price_text",
        jobs=job_sets.price_question,
        sentence=sentences.price_question,
    ),
    JobRule(
        code="pickup-asked",
        name="Pickup asked for",
        meaning="the customer asked for a pickup, which has no window yet",
        act="window",
        label=PLAN_PICKUP,
        part=WINDOW_FIELD,
        jobs=job_sets.pickup_wanted,
        sentence=sentences.pickup_wanted,
    ),
    JobRule(
        code="overdue",
        name="Dumpster due back",
        meaning="the days of rental are used up, and the pickup has no window",
        act="window",
        label=PLAN_PICKUP,
        part=WINDOW_FIELD,
        jobs=job_sets.overdue,
        sentence=sentences.overdue,
    ),
    JobRule(
        code="long-hold",
        name="Long on hold",
        meaning="on hold for 2 days",
        act="unhold",
        label="End the hold",
        part="id_on_hold",
        jobs=job_sets.long_hold,
        sentence=sentences.long_hold,
    ),
    JobRule(
        code="no-photo-after",
        name="Photo missing",
        meaning="completed on the crew's page in the last 3 days, without a photo after the work",
        act="open",
        label="Add a photo",
        jobs=job_sets.no_photo_after,
        sentence=sentences.no_photo_after,
    ),
    OfficeRule(
        code="window-drift",
        name="Wrong count of a window",
        meaning="a window says another number of units than its jobs hold",
        label="Correct the counts",
        page="admin:dispatch_servicewindow_changelist",
        find=sentences.window_drift,
        permission="dispatch.view_servicewindow",
    ),
)


def rules() -> list[Rule]:
    """Return the rules of this app and of NEEDS_RULES, most urgent first."""
    added: list[Rule] = [import_string(name) for name in settings.NEEDS_RULES]
    return [*RULES, *added]


def job_rules() -> list[JobRule]:
    """Return the rules that are about jobs."""
    return [rule for rule in rules() if isinstance(rule, JobRule)]


def rule_by_code(code: str) -> Rule:
    """Return a rule. Raises ValueRefused."""
    found = {rule.code: rule for rule in rules()}
    if code not in found:
        raise ValueRefused(
            f"There is no rule '{code}'.", f"Use one of: {', '.join(found)}.", field="rule"
        )
    return found[code]
