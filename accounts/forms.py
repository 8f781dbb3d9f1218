"""Forms about people: signing in by e-mail, and users in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm
from django.http import HttpRequest

from accounts.models import User
from accounts.people import normal_email


class SignInForm(AuthenticationForm):
    """E-mail and password. An unknown address, a wrong password and a closed account read the same."""

    username = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"}),
    )
    error_messages = {
        "invalid_login": "The e-mail address or the password is not right. Check both and try again.",
        "inactive": "The e-mail address or the password is not right. Check both and try again.",
    }

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].widget.attrs["maxlength"] = 254

    def clean_username(self) -> str:
        return normal_email(self.cleaned_data["username"])


if TYPE_CHECKING:  # generic for the type checker alone
    _Creation = BaseUserCreationForm[User]
    _Form = forms.ModelForm[User]
else:
    _Creation, _Form = BaseUserCreationForm, forms.ModelForm


class _OneAddress:
    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        """In lower case before it is compared, so that Anna@ and anna@ are one person."""
        return normal_email(str(self.cleaned_data["email"]))


class NewUserForm(_OneAddress, _Creation):
    """A new user in the admin: address and password."""

    class Meta:
        model = User
        fields = ("email", "name")


class UserForm(_OneAddress, _Form):
    """What is typed about a user in the admin. Role, access and password have steps of their own."""

    class Meta:
        model = User
        fields = ("email", "name")
