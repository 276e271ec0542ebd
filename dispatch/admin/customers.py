"""The pages that merge two customers and give a job to another one, and the customer's form."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from dispatch.admin.moving import actor_of
from dispatch.customers import REASON_LENGTH, find_customer, merge_customers, move_job_to_customer
from dispatch.errors import CustomerUnknown, DispatchError
from dispatch.models import Customer, Job
from dispatch.probes import without_probes

# More are counted, not listed.
JOBS_SHOWN = 20
LINK = '<a class="underline" href="{}">{}</a>'


class CustomerForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A customer. Those who were imported without a phone may stay without one."""

    class Meta:
        model = Customer
        fields = ("name", "phone", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.instance.phone and "phone" in self.fields:
            self.fields["phone"].required = False

    def clean_phone(self) -> Any:
        """Say whose phone it is, if it is another customer's, and offer to merge the two."""
        phone = self.cleaned_data["phone"] or None
        others = Customer.objects.exclude(pk=self.instance.pk).filter(phone=phone)
        if phone and (other := others.first()):
            raise ValidationError(self._whose(other), code="taken")
        return phone

    def _whose(self, other: Customer) -> str:
        page = reverse("admin:dispatch_customer_change", args=[other.pk])
        whose = format_html(f"This is the phone number of {LINK}.", page, other)
        if not self.instance.pk:
            return whose
        merge = f"{merge_url(self.instance)}?into={other.pk}"
        return format_html(
            f"{{}} If they are the same customer: {LINK}", whose, merge, f"Merge into {other}…"
        )


class ReasonForm(forms.Form):
    """Why a job, or all of a customer's jobs, belong to another customer."""

    reason = forms.CharField(
        label="Reason, for the history of each job",
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget,
        error_messages={"required": "Enter a reason."},
    )


class OtherCustomerForm(forms.Form):
    """Which other customer: by a phone, or by a job of theirs."""

    customer = forms.CharField(
        label="Phone number of the other customer, or the number of one of their jobs",
        max_length=40,
        widget=UnfoldAdminTextInputWidget,
        error_messages={"required": "Enter a phone number or a job number."},
    )

    def clean_customer(self) -> Customer:
        """Return the customer."""
        try:
            return find_customer(self.cleaned_data["customer"])
        except CustomerUnknown as unknown:
            page = reverse("admin:dispatch_customer_add")
            add = format_html(f"{{}} Or {LINK}", str(unknown), page, "add a customer.")
            raise ValidationError(add, code=unknown.code) from None
        except DispatchError as refusal:
            raise ValidationError(str(refusal), code=refusal.code) from None


class JobCustomerForm(OtherCustomerForm, ReasonForm):
    """The customer a job belongs to, and why."""

    field_order = ("customer", "reason")


class MergingAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """The page of customers, with one that merges a customer into another."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.merge_view)
        urls: list[URLPattern] = super().get_urls()
        return [path("<int:pk>/merge/", view, name="dispatch_customer_merge"), *urls]

    def merge_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the other customer; with `?into=`, a key, show what a merge does, and do it."""
        _check_may_change(self, request)
        other = get_object_or_404(without_probes(Customer.objects.all()), pk=pk)
        keep = _named(request)
        if keep is None:
            return self._choose(request, other)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._merge(request, keep, other, form)
        return self._page(request, other, {"form": form, **_plan(keep, other)})

    def _choose(self, request: HttpRequest, other: Customer) -> HttpResponse:
        form = OtherCustomerForm(request.GET if "customer" in request.GET else None)
        if form.is_valid():
            page = f"{merge_url(other)}?into={form.cleaned_data['customer'].pk}"
            return HttpResponseRedirect(page)
        return self._page(request, other, {"form": form})

    def _merge(
        self, request: HttpRequest, keep: Customer, other: Customer, form: ReasonForm
    ) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        try:
            merged = merge_customers(keep=keep, other=other, actor=actor_of(request), reason=reason)
        except DispatchError as refusal:
            form.add_error(None, str(refusal))
            return self._page(request, other, {"form": form, **_plan(keep, other)})
        count = len(merged.jobs)
        jobs = "1 job" if count == 1 else f"{count} jobs"
        messages.success(request, f"Merged {other.described} into {keep}: {jobs} moved.")
        return HttpResponseRedirect(reverse("admin:dispatch_customer_change", args=[keep.pk]))

    def _page(self, request: HttpRequest, other: Customer, more: dict[str, Any]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Merge {other} into another customer",
            "opts": Customer._meta,
            "other": other,
            **more,
        }
        return TemplateResponse(request, "dispatch/merge_customers.html", context)


class JobCustomerAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """A page that gives a job to another customer."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.customer_view)
        urls: list[URLPattern] = super().get_urls()
        return [path("<int:pk>/customer/", view, name="dispatch_job_customer"), *urls]

    def customer_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the customer and a reason, then move the job."""
        job = get_object_or_404(Job.objects.select_related("customer"), pk=pk)
        if not self.has_change_permission(request, job):
            raise PermissionDenied
        form = JobCustomerForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._move(request, job, form):
            return HttpResponseRedirect(reverse("admin:dispatch_job_change", args=[pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Customer of {job.label}",
            "opts": Job._meta,
            "job": job,
            "form": form,
        }
        return TemplateResponse(request, "dispatch/job_customer.html", context)

    def _move(self, request: HttpRequest, job: Job, form: JobCustomerForm) -> bool:
        customer, reason = form.cleaned_data["customer"], form.cleaned_data["reason"]
        try:
            move_job_to_customer(job=job, customer=customer, actor=actor_of(request), reason=reason)
        except DispatchError as refusal:
            form.add_error(None, str(refusal))
            return False
        messages.success(request, f"{job.label} is a job of {customer.described} now.")
        return True


def merge_url(customer: Customer) -> str:
    """Return the page that merges a customer into another one."""
    return reverse("admin:dispatch_customer_merge", args=[customer.pk])


def _check_may_change(page: ModelAdmin, request: HttpRequest) -> None:
    """A merge changes customers and their jobs."""
    user: Any = request.user
    if not (page.has_change_permission(request) and user.has_perm("dispatch.change_job")):
        raise PermissionDenied


def _named(request: HttpRequest) -> Customer | None:
    """Return the customer that the address names, if there is one."""
    key = request.GET.get("into", "")
    customers = without_probes(Customer.objects.all())
    return customers.filter(pk=int(key)).first() if key.isdecimal() else None


def _plan(keep: Customer, other: Customer) -> dict[str, Any]:
    """Return what a merge would do, for the page that asks for the reason."""
    jobs: QuerySet[Job] = Job.objects.filter(customer=other).select_related("service")
    count = jobs.count()
    return {
        "title": f"Merge {other} into {keep}",
        "keep": keep,
        "kept_jobs": keep.jobs.count(),
        "jobs": jobs.order_by("-number")[:JOBS_SHOWN],
        "count": count,
        "more": max(0, count - JOBS_SHOWN),
        "new_phone": other.phone if other.phone and not keep.phone else None,
        "lost_phone": other.phone if other.phone and keep.phone else None,
        "other_way": f"{merge_url(keep)}?into={other.pk}",
    }
