"""Where a provider's key is kept: encrypted in the database, and write-only in forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models
from encrypted_fields.fields import EncryptedTextField

_CIPHERTEXT = "gAAAA"  # how every Fernet token begins


class SecretField(EncryptedTextField):  # type: ignore[misc]  # the package has no types
    """An encrypted text. Under another SECRET_KEY it reads as its ciphertext: ask `is_encrypted` before it is used."""

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """Without the package's own `clean`, which marks the shared field while it works, so that another thread that
        loads a row at that moment would get ciphertext.
        """
        self.validate(value, model_instance)
        self.run_validators(value)
        return value


def is_encrypted(secret: str) -> bool:
    """Whether a secret that was read could not be decrypted."""
    return secret.startswith(_CIPHERTEXT)


class WriteOnlyKeyField(forms.CharField):
    """A key's form field: takes a new one, and never shows what is stored or what was typed."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.PasswordInput(attrs={"autocomplete": "new-password"}))
        kwargs.setdefault("help_text", "Leave empty to keep the stored key.")
        super().__init__(**{"required": False, "max_length": 500, **kwargs})

    def prepare_value(self, value: Any) -> str:
        return ""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data and data.strip())


class KeepsKey(forms.ModelForm):  # type: ignore[type-arg]
    """A form of a model with a `key`: an empty field keeps the stored one, and a new row needs one."""

    key = WriteOnlyKeyField(label="API key")

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"] or (self.instance.key if self.instance.pk else "")
        if not key:
            raise forms.ValidationError("Enter the API key that the provider gave you.")
        return key
