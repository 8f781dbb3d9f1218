"""Whatever a client sends: one clear JSON error, never a 5xx, never HTML, nothing half done."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from orders.models import Order
from tests.api_v2.builders import ADDRESS, Reseller, answer
from tests.orders.builders import LINK, a_service

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
UNUSABLE = "Incorrect request: a field's name holds characters that cannot be used"
NO_MULTIPART = "Incorrect request: the multipart body cannot be read"


@pytest.mark.parametrize(
    ("body", "type", "error"),
    [
        (b"key=%FF%FE&action=balance", FORM, "Incorrect request: the body is not UTF-8"),
        (b"\xff\xfe", "application/json", "Incorrect request: the body is not UTF-8"),
        (b"key=a%00b&action=balance", FORM, "Incorrect request: key holds characters that cannot be used"),
        (b"key=a&key=b&action=balance", FORM, "Incorrect request: key was sent twice"),
        (b'{"key": "a", "key": "b"}', "application/json", "Incorrect request: key was sent twice"),
        (b"[1, 2]", "application/json", "Incorrect request: the body must be a JSON object"),
        (b'{"key": NaN}', "application/json", "Incorrect request: the body is not JSON"),
        (b"{", "application/json", "Incorrect request: the body is not JSON"),
        (b"[" * 100_000, "application/json", "Incorrect request: the body is not JSON"),
        (b'{"order": 1' + b"0" * 5000 + b"}", "application/json", "Incorrect request: the body is not JSON"),
        (b'{"key": {"a": 1}}', "application/json", "Incorrect request: key must be text or a whole number"),
        (b'{"order": 1.5}', "application/json", "Incorrect request: order must be text or a whole number"),
        (b'{"link": "\\ud800"}', "application/json", "Incorrect request: link is not valid text"),
        (b'{"a\\ud800": "1"}', "application/json", "Incorrect request: a field's name is not valid text"),
        (b'{"a\\u0000": "1"}', "application/json", UNUSABLE),
        (b"a%00=1", FORM, UNUSABLE),
        (b"nonsense", "multipart/form-data; boundary=x", "Incorrect request: the multipart body cannot be read"),
        (b'--x\r\nContent-Disposition: form-data; name="action"\r\n\r\nadd\r\n', MULTIPART, NO_MULTIPART),  # no end
        (b"nonsense", "multipart/form-data", "Incorrect request: the multipart body cannot be read"),
        (b"&".join(b"a%d=1" % n for n in range(300)), FORM, "Incorrect request: more than 200 fields"),
    ],
)
def test_a_body_that_cannot_be_read(client: Client, body: bytes, type: str, error: str) -> None:
    assert answer(client.post(ADDRESS, body, content_type=type)) == {"error": error}


def test_a_body_over_the_limit_says_how_large_it_may_be(client: Client) -> None:
    body = b"key=" + b"a" * 3_000_000
    assert answer(client.post(ADDRESS, body, content_type=FORM)) == {
        "error": "Request is too large: at most 2400000 bytes"
    }


@pytest.mark.parametrize("type", [FORM, "application/json", MULTIPART])
def test_a_body_that_broke_off_does_nothing(rita: Reseller, type: str) -> None:
    """What has arrived would be an order of its own: of 100 instead of 1000."""
    service = a_service(None)
    bodies = {
        FORM: f"key={rita.key}&action=add&service={service.pk}&link={LINK}&quantity=100",
        "application/json": json.dumps({"key": rita.key, "action": "balance"}),
        MULTIPART: f'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\n{rita.key}\r\n--x--\r\n',
    }
    body = bodies[type].encode()
    sent: Any = {"CONTENT_LENGTH": str(len(body) + 1), "wsgi.input": BytesIO(body)}
    broken = rita.client.post(ADDRESS, body, content_type=type, **sent)
    assert answer(broken) == {"error": "Incorrect request: the body did not arrive whole"}
    assert not Order.objects.exists()


def test_a_body_in_chunks_is_as_good_as_any(rita: Reseller, settings: Settings) -> None:
    def in_chunks(body: str, type: str) -> object:
        server: Any = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True, "wsgi.input": BytesIO(body.encode())}
        return answer(rita.client.post(ADDRESS, body, content_type=type, **server))

    part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    parts = f"{part.format('key', rita.key)}{part.format('action', 'balance')}--x--\r\n"
    right = {"balance": "100.00", "currency": "USD"}
    assert in_chunks(f"key={rita.key}&action=balance", FORM) == right
    assert in_chunks(json.dumps({"key": rita.key, "action": "balance"}), "application/json") == right
    assert in_chunks(parts, MULTIPART) == right
    settings.API_MAX_BODY_BYTES = 20
    assert in_chunks(parts, MULTIPART) == {"error": "Request is too large: at most 20 bytes"}


def test_a_wrong_host_is_told_in_json(client: Client) -> None:
    response = client.post(ADDRESS, {"key": "a"}, HTTP_HOST="elsewhere.example")
    assert response.status_code == 400
    assert json.loads(response.content) == {"error": "Incorrect request: this address is not the panel's"}


def test_multipart_and_lists_are_taken(rita: Reseller) -> None:
    service = a_service(None)
    body = {"key": rita.key, "action": "add", "service": service.pk, "link": LINK, "quantity": 100}
    made = answer(rita.client.post(ADDRESS, body))  # multipart by default
    assert list(rita.call_json("status", orders=[made["order"], "7"])) == [str(made["order"]), "7"]
    listed = f"key={rita.key}&action=status&orders[]={made['order']}&orders[]=7".encode()
    assert list(answer(rita.client.post(ADDRESS, listed, content_type=FORM))) == [str(made["order"]), "7"]


def test_comments_may_be_a_json_list_of_lines(rita: Reseller) -> None:
    service = a_service(None, type="custom_comments", min=1)
    made = rita.call_json("add", service=service.pk, link="https://example.com/p", comments=["a, b", "c"])
    assert Order.objects.get(pk=made["order"]).details == {"comments": "a, b\nc"}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fields=st.dictionaries(
        st.sampled_from(["action", "service", "link", "quantity", "order", "orders", "refill", "refills", "runs"]),
        values,
        max_size=5,
    )
)
def test_any_json_is_answered_as_json(rita: Reseller, fields: dict[str, object]) -> None:
    body = json.dumps({"key": rita.key, **fields})
    found = answer(rita.client.post(ADDRESS, body, content_type="application/json"))
    assert isinstance(found, dict | list)
    assert "Internal error" not in json.dumps(found)


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=200), type=st.sampled_from([FORM, "application/json", "multipart/form-data; boundary=x"])
)
def test_any_bytes_are_answered_as_json(client: Client, body: bytes, type: str) -> None:
    assert "error" in answer(client.post(ADDRESS, body, content_type=type))
