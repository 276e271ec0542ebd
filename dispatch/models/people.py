"""Customers, crews and services."""

from django.db import models
from phonenumber_field.modelfields import PhoneNumberField

from dispatch.statuses import ServiceKind


class Customer(models.Model):
    """A person we work for, identified by an E.164 phone number.

    Only staff change a customer. What was typed into the booking form is kept on the job
    (`contact_name`, `contact_email`): the form is anonymous, and typing another person's phone
    must neither reveal that customer's name nor change it.
    """

    name = models.CharField(max_length=120)
    phone = PhoneNumberField(unique=True)
    email = models.EmailField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ServiceType(models.Model):
    """A service customers can book."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=ServiceKind.choices, default=ServiceKind.HAUL)
    description = models.CharField(max_length=200, blank=True)
    active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = "service"

    def __str__(self) -> str:
        return self.name


class Crew(models.Model):
    """People and truck sent together."""

    name = models.CharField(max_length=60, unique=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
