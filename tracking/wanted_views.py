"""The form for those who lost their link: "send me my link"."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from dispatch.booking import parse_phone
from dispatch.errors import ValueRefused
from dispatch.limits import LimitReached
from edge.viewer_address import viewer_address
from tracking.languages import in_their_language
from tracking.origins import is_own_page
from tracking.private_pages import private
from tracking.wanted import want

REFUSED, INVALID, TOO_MANY_REQUESTS = 403, 422, 429
EXPECTED = gettext_lazy("Enter a phone number like 907-555-0142, or an email address.")
TOO_MANY = gettext_lazy("That was asked several times from your internet connection. Call us.")


class WantedForm(forms.Form):
    """The phone number or email address of a job."""

    to = forms.CharField(
        label=gettext_lazy("Phone number or email address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "on", "autocapitalize": "none"}),
        error_messages={"required": EXPECTED},
    )

    def clean_to(self) -> str:
        """Return a phone number in E.164, or the email address as typed."""
        typed: str = self.cleaned_data["to"].strip()
        try:
            if "@" not in typed:
                return parse_phone(typed)
            validate_email(typed)
        except (ValueRefused, ValidationError):
            raise ValidationError(EXPECTED) from None
        return typed


@csrf_exempt  # tracking.origins checks instead, as for the other forms of customers
@private
@in_their_language
@require_http_methods(["GET", "HEAD", "POST"])
def send_links(request: HttpRequest) -> HttpResponse:
    """Have a visitor's links sent, with the same answer whether we know any or not."""
    if request.method != "POST":
        return redirect("tracking:find")
    if not is_own_page(request):
        return render(request, "tracking/refused_post.html", status=REFUSED)
    form = WantedForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form, status=INVALID)
    address = viewer_address(request.META, trusted_proxies=settings.TRUSTED_PROXIES)
    try:
        want(typed=form.cleaned_data["to"], address=address)
    except LimitReached:
        form.add_error("to", TOO_MANY)
        return _form_page(request, form, status=TOO_MANY_REQUESTS)
    return render(request, "tracking/links_sent.html")


def _form_page(request: HttpRequest, form: Any, *, status: int) -> HttpResponse:
    return render(request, "tracking/find.html", {"wanted": form}, status=status)
