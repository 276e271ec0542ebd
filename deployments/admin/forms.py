"""The reason that every action in the admin requires."""

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

LONGEST = 300


class ReasonForm(forms.Form):
    """Base of the forms that ask for a reason."""

    reason = forms.CharField(
        max_length=LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2, "autocomplete": "off"}),
        help_text="Recorded in the history.",
        error_messages={"required": "Enter a reason. It is recorded in the history."},
    )
