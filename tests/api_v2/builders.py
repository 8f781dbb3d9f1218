"""A reseller with a key, and his calls as his scripts make them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from accounts.keys import issue_key
from accounts.models import Customer
from tests.orders.builders import a_customer

ADDRESS = "/api/v2"


@dataclass(slots=True)
class Reseller:
    """A customer, his key, and a client without any cookie."""

    customer: Customer
    key: str
    client: Client

    def raw(
        self, action: str, *, address: str = ADDRESS, headers: dict[str, str] | None = None, **fields: Any
    ) -> Any:
        """The response itself, to a form-encoded call."""
        sent = {"key": self.key, "action": action, **{name: str(value) for name, value in fields.items()}}
        return self.client.post(address, sent, headers=headers)

    def call(self, action: str, **fields: Any) -> Any:
        """What the call answers, as JSON; whatever it is, it comes with HTTP 200."""
        return answer(self.raw(action, **fields))

    def call_json(self, action: str, **fields: object) -> Any:
        body = json.dumps({"key": self.key, "action": action, **fields})
        return answer(self.client.post(ADDRESS, body, content_type="application/json"))


def answer(response: Any) -> Any:
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    return json.loads(response.content)


def a_reseller(balance: str = "100", email: str = "rita@example.com") -> Reseller:
    customer = a_customer(balance, email)
    _, key = issue_key(customer, "Scripts")
    return Reseller(customer, key, Client())
