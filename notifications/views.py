"""The address that Twilio sends customers' text messages to. No cookie is looked at."""

import hmac
from xml.sax.saxutils import escape

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from notifications.channels.twilio import signature_of
from notifications.incoming import receive_text


@csrf_exempt
@never_cache
def receive_sms(request: HttpRequest) -> HttpResponse:
    """POST: a customer has answered. 404 without TWILIO_AUTH_TOKEN, 403 with a wrong signature."""
    if not settings.TWILIO_AUTH_TOKEN:
        raise Http404
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    # What Twilio signed is its own address of this page, not what a proxy made of it.
    expected = signature_of(f"{settings.SITE_URL}{request.get_full_path()}", request.POST.dict())
    sent = request.headers.get("X-Twilio-Signature", "")
    if not hmac.compare_digest(expected.encode(), sent.encode()):
        return HttpResponse("The signature is wrong.", status=403, content_type="text/plain")
    answer = receive_text(sender=request.POST.get("From", ""), text=request.POST.get("Body", ""))
    # With Advanced Opt-Out, Twilio has answered STOP, START and HELP itself.
    return _twiml("" if request.POST.get("OptOutType") else answer)


def _twiml(answer: str) -> HttpResponse:
    message = f"<Message>{escape(answer)}</Message>" if answer else ""
    return HttpResponse(f"<Response>{message}</Response>", content_type="text/xml")
