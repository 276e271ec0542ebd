"""A job in full, for the panel beside the board."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from dispatch.admin.window_choice import requested_text
from dispatch.models import Job, JobEvent
from dispatch.photos.serving import photo_url
from notifications.models import Message
from office.board.answers import free_windows, shown_windows
from office.board.cards import card_of, local_iso, map_of
from office.board.words import lines
from tracking.link_actions import active_link
from tracking.links import tracking_url

WINDOWS = 20
# The latest of them; a job rarely has more.
ROWS = 100


def panel_of(job: Job, now: datetime, *, may_change: bool) -> dict[str, Any]:
    """Return the panel. Those who may only look get no gate codes and no tracking link."""
    return {
        "card": card_of(job.pk, day=timezone.localdate(now), now=now),
        "address": job.address,
        "map": map_of(job),
        "details": job.details,
        "access_notes": job.access_notes if may_change else "",
        "photos": _photos(job),
        "prices": _prices(job),
        "events": _events(job),
        "messages": _messages(job),
        "links": {"track": _track(job) if may_change else None},
        "windows": shown_windows(free_windows(job, WINDOWS)) if may_change else [],
        "requested": requested_text(job),
    }


def _photos(job: Job) -> list[dict[str, str]]:
    return [
        {"large": photo_url(one.large), "small": photo_url(one.small), "stage": one.stage}
        for one in job.photos.all()
    ]


def _prices(job: Job) -> list[dict[str, Any]]:
    return [
        {"text": str(one), "at": local_iso(one.at), "actor": one.actor, "reason": one.reason}
        for one in job.prices.order_by("-pk")[:ROWS]
    ]


def _events(job: Job) -> list[dict[str, Any]]:
    events = JobEvent.objects.filter(job=job).order_by("-pk")[:ROWS]
    return [
        {"at": local_iso(one.at), "actor": one.actor, "text": lines(one), "reason": one.reason}
        for one in events
    ]


def _messages(job: Job) -> list[dict[str, Any]]:
    messages = Message.objects.filter(job=job).order_by("-pk")[:ROWS]
    return [
        {
            "event": one.get_event_display(),
            "channel": one.get_channel_display(),
            "state": one.get_state_display(),
            "at": local_iso(one.sent_at or one.created_at),
            "url": reverse("admin:notifications_message_change", args=[one.pk]),
        }
        for one in messages
    ]


def _track(job: Job) -> str | None:
    link = active_link(job)
    return (tracking_url(link) or None) if link else None
