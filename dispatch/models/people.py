"""Customers and crews."""

from typing import Any

from django.db import models, transaction
from phonenumber_field.modelfields import PhoneNumberField

from dispatch.field_history import FieldHistory
from dispatch.search.fields import SearchTextField
from dispatch.search.keeping import renew_jobs
from dispatch.search.text import text_of_customer
from dispatch.search.words import learn_words
from dispatch.signals import names_changed


class Customer(models.Model):
    """A person we work for, identified by an E.164 phone number.

    Only staff change a customer. What was typed into the booking form is kept on the job
    (`contact_name`, `contact_email`): the form is anonymous, and typing another person's phone
    must neither reveal that customer's name nor change it. Imported customers may lack a phone.
    """

    name = models.CharField(max_length=120)
    phone = PhoneNumberField(unique=True, null=True)
    email = models.EmailField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    search_text = SearchTextField(make=text_of_customer, default="", editable=False)

    history = FieldHistory(without=["created_at", "search_text"])

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the customer; its jobs are found by the new name, phone and email from now on."""
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "search_text"}
        # Locked: of two corrections at once, the second compares with the first.
        stored = Customer._base_manager.select_for_update().filter(pk=self.pk)
        before = stored.values_list("search_text", flat=True).first()
        super().save(*args, **kwargs)
        if before != self.search_text:
            learn_words([self.name])
        if before not in (None, self.search_text):
            renew_jobs(self)

    @property
    def described(self) -> str:
        """The name with the phone, as the history of a job names its customer."""
        return f"{self.name}, {self.phone}" if self.phone else self.name

    @property
    def e164(self) -> str:
        """The phone like "+19075550142", or "" if it is not known."""
        return str(self.phone.as_e164) if self.phone else ""


class ShownWithJobs(models.Model):
    """A row whose fields `shown` customers see with each of its jobs.

    Saving other values sends `names_changed`; QuerySet.update() does not.
    """

    shown: tuple[str, ...] = ("name",)
    jobs: Any

    class Meta:
        abstract = True

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        # Locked: of two renamings at once, the second compares with the first.
        stored = type(self)._base_manager.select_for_update().filter(pk=self.pk)
        before = stored.values_list(*self.shown).first()
        super().save(*args, **kwargs)
        after = tuple(getattr(self, field) for field in self.shown)
        if before is not None and before != after:
            names_changed.send(sender=type(self), jobs=self.jobs.all())


class Crew(ShownWithJobs):
    """People and truck sent together."""

    name = models.CharField(max_length=60, unique=True)
    active = models.BooleanField(default=True)

    history = FieldHistory()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
