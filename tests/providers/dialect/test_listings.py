"""`services`: the seed's list, every shape and spelling, and items that cannot be read cost only themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from providers.dialect.answer import Refused, Unreadable
from providers.dialect.listings import NAME_LENGTH, read_services
from providers.dialect.numbers import MAX_COUNT
from providers.outcomes import Cause, ServiceListing
from tests.providers.dialect.builders import PAGE, answer

FOLLOWERS = {
    "service": 1,
    "name": "Followers",
    "type": "Default",
    "category": "First Category",
    "rate": "0.90",
    "min": "50",
    "max": "10000",
    "desc": "High quality followers",
    "refill": True,
    "cancel": True,
    "dripfeed": True,
}
COMMENTS = {
    "service": 2,
    "name": "Comments",
    "type": "Custom Comments",
    "category": "Second Category",
    "rate": "8",
    "min": "10",
    "max": "1500",
    "desc": "Custom comments service",
    "refill": False,
    "cancel": False,
    "dripfeed": False,
}


def listed(**fields: Any) -> ServiceListing:
    """How one service is read when the fields are changed."""
    (service,) = read_services(answer([{**FOLLOWERS, **fields}])).services
    return service


def reason_for(**fields: Any) -> str:
    listings = read_services(answer([COMMENTS, {**FOLLOWERS, **fields}]))
    assert [service.external_id for service in listings.services] == ["2"]
    (report,) = listings.unreadable
    return report


@pytest.mark.parametrize(
    "body",
    [
        [FOLLOWERS, COMMENTS],
        {"services": [FOLLOWERS, COMMENTS]},
        {"data": [FOLLOWERS, COMMENTS]},
        {"status": "success", "data": {"services": [FOLLOWERS, COMMENTS]}},
        {"1": FOLLOWERS, "2": COMMENTS},
        {"services": {"1": FOLLOWERS, "2": COMMENTS}},
        {"0": FOLLOWERS, "5": COMMENTS},
        {n: {k: v for k, v in s.items() if k != "service"} for n, s in (("1", FOLLOWERS), ("2", COMMENTS))},
        [FOLLOWERS, COMMENTS, FOLLOWERS],
    ],
)
def test_the_seed_s_list_in_every_shape(body: Any) -> None:
    listings = read_services(answer(body))
    assert listings.unreadable == []
    assert listings.services == [
        ServiceListing(
            external_id="1",
            name="Followers",
            category="First Category",
            type="Default",
            rate=Decimal("0.9"),
            min=50,
            max=10000,
            refill=True,
            cancel=True,
            dripfeed=True,
            description="High quality followers",
        ),
        ServiceListing(
            external_id="2",
            name="Comments",
            category="Second Category",
            type="Custom Comments",
            rate=Decimal(8),
            min=10,
            max=1500,
            refill=False,
            cancel=False,
            dripfeed=False,
            description="Custom comments service",
        ),
    ]


@pytest.mark.parametrize(
    "body", [[], {}, {"services": []}, {"data": []}, {"data": {}}, [None], [[]], [{}], ["x"], b"5", b'"x"', PAGE, b""]
)
def test_an_empty_or_broken_list_is_an_error_not_an_empty_catalogue(body: Any) -> None:
    with pytest.raises(Unreadable):
        read_services(answer(body))


def test_a_cut_list_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        read_services(answer(answer([FOLLOWERS, COMMENTS]).body[:-20]))


def test_a_refusal_is_told() -> None:
    with pytest.raises(Refused) as refused:
        read_services(answer({"error": "Invalid API key"}))
    assert refused.value.refusal.cause is Cause.BAD_KEY


@pytest.mark.parametrize(
    ("spelled", "rate"),
    [
        ("0.90", "0.9"),
        (0.9, "0.9"),
        ("95200", "95200"),
        ("0.33000000", "0.33"),
        ("1,234.56", "1234.56"),
        ("$0.90", "0.9"),
        ("9e-1", "0.9"),
        (120481927710, "120481927710"),
        ("0", "0"),
        ("0.0000001", "0.000001"),
        ("0.1234561", "0.123457"),
    ],
)
def test_a_rate_in_every_spelling_rounded_up(spelled: Any, rate: str) -> None:
    assert listed(rate=spelled).rate == Decimal(rate)


@pytest.mark.parametrize("rate", [None, "", "free", "-1", True, [], "9" * 20, {"USD": 1}])
def test_a_service_without_a_rate_is_reported(rate: Any) -> None:
    assert "Service 1 cannot be read: its rate is" in reason_for(rate=rate)


def test_nan_as_a_rate_costs_that_service_alone() -> None:
    body = answer([COMMENTS, {**FOLLOWERS, "rate": float("nan")}])
    listings = read_services(body)
    assert len(listings.services) == 1
    assert listings.unreadable_ids == {"1"}


@pytest.mark.parametrize(
    ("field", "value", "report"),
    [
        ("min", "few", "its minimum is “few”"),
        ("max", "many", "its maximum is “many”"),
        ("max", None, "its maximum is empty"),
        ("name", "", "it has no name"),
        ("name", None, "it has no name"),
    ],
)
def test_other_reasons(field: str, value: Any, report: str) -> None:
    assert report in reason_for(**{field: value})


@pytest.mark.parametrize("service", [None, "", 0, -1, True, [], {}, "none"])
def test_an_item_without_an_id_is_reported_by_its_place(service: Any) -> None:
    assert reason_for(service=service) == "Item 2 cannot be read: it has no id."


def test_limits_in_both_types_capped_and_even_the_wrong_way_round() -> None:
    service = listed(min=100, max="50")
    assert (service.min, service.max) == (100, 50)
    assert listed(max=2147483647).max == 2147483647
    assert listed(max="99999999999999999999999").max == MAX_COUNT
    assert listed(min=-5).min == 0
    assert listed(min=None).min == 1


@pytest.mark.parametrize(
    ("value", "flag"),
    [(True, True), (1, True), ("1", True), ("true", True), (0, False), ("0", False), ("", None), (None, None)],
)
def test_flags(value: Any, flag: bool | None) -> None:
    service = listed(refill=value, cancel=value, dripfeed=value)
    assert (service.refill, service.cancel, service.dripfeed) == (flag, flag, flag)


def test_what_may_be_absent() -> None:
    bare = {name: FOLLOWERS[name] for name in ("service", "name", "rate", "min", "max")}
    (service,) = read_services(answer([bare])).services
    assert (service.refill, service.cancel, service.dripfeed) == (None, None, None)
    assert (service.type, service.category, service.description) == ("", "", "")


def test_a_description_under_either_name() -> None:
    assert listed(desc=None, description="Said here").description == "Said here"
    assert listed(desc="Here", description="or there").description == "Here"
    assert listed(desc="one\r\ntwo\x00").description == "one\ntwo"


def test_texts_are_cut_to_what_the_catalogue_holds() -> None:
    service = listed(name="x" * 900, category="y" * 900, type="z" * 900)
    assert (len(service.name), len(service.category), len(service.type)) == (NAME_LENGTH, 300, 60)
    assert listed(name="Likes ❤️\nfast").name == "Likes ❤️ fast"


def test_the_type_stays_as_spelled() -> None:
    assert listed(type="custom_comments").type == "custom_comments"
    assert listed(type="Something New").type == "Something New"


def test_an_id_listed_twice_differently_is_not_read_at_all() -> None:
    listings = read_services(answer([FOLLOWERS, COMMENTS, {**FOLLOWERS, "rate": "0.01"}]))
    assert [service.external_id for service in listings.services] == ["2"]
    assert listings.unreadable == ["Service 1 cannot be read: it is listed twice, differently."]
    assert listings.unreadable_ids == {"1"}


def test_ids_of_any_kind() -> None:
    assert listed(service="17").external_id == "17"
    assert listed(service="svc_01HG").external_id == "svc_01HG"
