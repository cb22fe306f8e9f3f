"""Signing in, and banning."""

from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_noop

from arena.voters.limits import limit_hit, limit_test, network_name
from arena.voters.models import Ban
from arena.voters.networks import Address, address_of_request

FAILURES = gettext_noop(
    "Signing in failed too often from your network: %(rate)s is the most here. "
    "Try again in %(wait)s."
)
DURATIONS = (
    ("1", "1 day"),
    ("7", "7 days"),
    ("30", "30 days"),
    ("365", "1 year"),
    ("0", "until it is lifted"),
)


class Limited(AuthenticationForm):
    """Counts failures per network, so that passwords cannot be tried out.

    Successes are not counted: a whole company may sign in from one address in one morning.
    """

    def clean(self) -> dict[str, Any]:
        """Raises TooMany before the password is looked at."""
        assert self.request is not None
        rate, who = settings.SIGN_IN_RATE, network_name(address_of_request(self.request))
        limit_test(rate, FAILURES, "sign-in", who)
        try:
            return super().clean()
        except ValidationError:
            limit_hit(rate, FAILURES, "sign-in", who)
            raise


class SignInForm(Limited):
    pass


class AdminSignInForm(Limited, AdminAuthenticationForm):
    pass


class BanVotersForm(forms.Form):
    """What an operator says about the voters they ticked."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3, "cols": 80}),
        max_length=1000,
        help_text="The persons who are kept out read it.",
    )
    days = forms.ChoiceField(choices=DURATIONS, initial="7", label="For how long")
    with_network = forms.BooleanField(
        required=False,
        label="Also the networks they were last seen in",
        help_text="Keeps out everybody who shares such a network.",
    )

    def expires_at(self) -> datetime | None:
        days = int(self.cleaned_data["days"])
        return timezone.now() + timedelta(days=days) if days else None


class BanForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """A ban of one voter, or of one address."""

    address = forms.GenericIPAddressField(
        required=False,
        help_text="Instead of a voter: everybody from this address's network. It is not stored.",
    )
    with_network = forms.BooleanField(
        required=False, label="Also the network in which the voter was last seen"
    )

    class Meta:
        model = Ban
        fields = ("voter", "reason", "expires_at")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("voter") and not cleaned.get("address"):
            raise ValidationError("Name a voter or an address: this ban keeps nobody out.")
        expires_at = cleaned.get("expires_at")
        if expires_at and expires_at <= timezone.now():
            self.add_error("expires_at", "Give a time that is still to come, or none.")
        return cleaned

    def banned_address(self) -> Address | None:
        text = self.cleaned_data["address"]
        return ip_address(text) if text else None
