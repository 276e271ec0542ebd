"""Asking for a reason: whatever is done from the admin says why, in the history and to others."""

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

LONGEST = 300


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        max_length=LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2, "autocomplete": "off"}),
        help_text="Kept in the history, for whoever looks later.",
        error_messages={"required": "Say why: it stands in the history."},
    )
