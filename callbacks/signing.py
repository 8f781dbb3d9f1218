"""Secrets and signatures of the Standard Webhooks: a receiver may use any library for them, or ten lines of his own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32  # the standard asks for 24 to 64
ID_BYTES = 18


def new_secret() -> str:
    """A secret as its owner sees it: a prefix and random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def new_message_id() -> str:
    return f"msg_{secrets.token_urlsafe(ID_BYTES)}"


def signature(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """HMAC-SHA256 over id, time and body, with the decoded secret."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed_headers(secrets_: Sequence[str], message_id: str, timestamp: int, body: str) -> Mapping[str, str]:
    """The three headers; after a rotation there is a signature by each of the secrets, the new one's first."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(each, message_id, timestamp, body) for each in secrets_),
    }
