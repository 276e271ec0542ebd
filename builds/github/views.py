"""The view behind the address for webhooks. No cookie is looked at, so there is no CSRF check."""

import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from builds.github.push import receive_push
from builds.github.webhook import Webhook, read_push, read_webhook, remembered
from deployments.api.answers import not_allowed, refused_with
from deployments.api.refusals import NotAuthorized, Replayed, limited, record
from deployments.errors import DeploymentError
from edge.errors import EdgeError

ACCEPTED = 202
log = logging.getLogger(__name__)


@csrf_exempt
def receive_webhook(request: HttpRequest) -> HttpResponse:
    """POST: GitHub says that a branch has moved. Answers with the build, which a task carries out.

    404 without BUILD_WEBHOOK_SECRET.
    """
    if not settings.BUILD_WEBHOOK_SECRET:
        raise Http404
    answer = _answer(request) if request.method == "POST" else not_allowed("POST")
    answer["Cache-Control"] = "no-store"
    return answer


def _answer(request: HttpRequest) -> HttpResponse:
    try:
        return _received(read_webhook(request))
    except NotAuthorized as refused:
        error = limited(request, refused)
        record(request, error, None)
        return refused_with(error)
    except Replayed as replayed:
        record(request, replayed, None)
        return refused_with(replayed)
    except (DeploymentError, EdgeError) as error:
        log.warning("Refused a webhook: %s", error)
        return refused_with(error)


def _received(webhook: Webhook) -> HttpResponse:
    if webhook.event == "ping":
        return JsonResponse({"state": "pong"})
    push = read_push(webhook) if webhook.event == "push" else None
    if push is None:
        return JsonResponse({"state": "ignored"}, status=ACCEPTED)
    with remembered(webhook):
        build = receive_push(push)
    if build is None:
        return JsonResponse({"state": "branch-deleted"}, status=ACCEPTED)
    state = {"state": build.state, "build": build.pk, "commit": build.commit}
    return JsonResponse(state, status=ACCEPTED)
