"""Every line of the contract (dialect §3) by name: what shows it, here or in the file that has the behaviour.

`SHOWN` is the index; a test that is renamed or lost breaks it.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.api_v2 import test_bodies as bodies
from tests.api_v2 import test_contract as contract
from tests.api_v2 import test_parts as parts
from tests.api_v2.builders import Reseller, answer

SHOWN: dict[str, tuple[Callable[..., None], ...]] = {
    "both addresses": (contract.test_both_addresses_answer_with_and_without_the_slash,),
    "form-encoded or JSON": (
        contract.test_json_bodies_and_numbers_as_text_or_ints_mean_the_same,
        bodies.test_multipart_and_lists_are_taken,
    ),
    "HTTP 200 with an error": (
        contract.test_errors_of_the_call,
        bodies.test_any_json_is_answered_as_json,
        bodies.test_any_bytes_are_answered_as_json,
    ),
    "types of services": (contract.test_services_is_a_list_with_the_types_that_clients_expect,),
    "the rate shown is the rate charged": (contract.test_the_rate_shown_is_the_rate_charged_to_the_last_digit,),
    "add": (contract.test_add_answers_an_int_and_charges,),
    "balance": (contract.test_balance_is_two_strings,),
    "status of one": (
        contract.test_before_anything_is_known_an_order_is_pending_and_all_remains,
        contract.test_charge_is_what_the_order_has_cost_so_far,
    ),
    "status of many": (
        contract.test_many_statuses_are_keyed_as_the_ids_were_sent_and_in_that_order,
        contract.test_more_than_a_hundred_ids_are_one_clear_error,
        contract.test_more_than_a_hundred_ids_are_refused_whole_by_every_action,
    ),
    "a duplicate id": (contract.test_a_repeated_id_is_answered_once,),
    "the six words": (contract.test_the_words_of_a_status_are_those_of_api_v2,),
    "start_count and remains": (
        contract.test_start_count_and_remains_follow_later_corrections,
        contract.test_remains_is_never_negative_and_never_above_the_quantity,
    ),
    "drip-feeds and subscriptions": (
        contract.test_a_drip_feed_answers_runs_and_orders_and_a_subscription_posts_expiry_and_orders,
        parts.test_the_runs_of_a_drip_feed_add_up_to_what_it_has_cost,
        parts.test_the_posts_of_a_subscription_add_up_to_what_was_taken,
    ),
    "what waits reads Pending": (contract.test_what_is_not_with_a_provider_yet_reads_pending,),
    "what was refused reads Canceled": (
        contract.test_what_was_refused_and_refunded_reads_canceled_and_has_cost_nothing,
    ),
    "refill and refill_status": (contract.test_refills_of_one_and_of_many,),
    "one English table of errors": (
        contract.test_errors_of_an_order_are_those_that_clients_know,
        contract.test_errors_are_english_in_every_language,
        contract.test_the_words_of_a_provider_are_never_a_customers,
    ),
    "cancel": (
        contract.test_cancel_of_one_is_the_seeds_form,
        contract.test_cancel_of_many_is_the_list_form_also_for_one_id,
        contract.test_one_id_in_orders_is_answered_in_the_form_of_many_as_text_and_as_a_number,
    ),
}


@pytest.mark.django_db
def test_a_key_in_the_query_string_is_refused(rita: Reseller) -> None:
    """Line: a key in a query string is refused, alone or beside the same key in the body."""
    for fields in ({}, {"key": rita.key}):
        found = answer(rita.client.post(f"/api/v2?key={rita.key}", {"action": "balance", **fields}))
        assert list(found) == ["error"]
        assert rita.key not in json.dumps(found)


def test_every_line_names_what_shows_it() -> None:
    """An import breaks where a test is lost; here, that what is named is a test which runs."""
    for line, shown in SHOWN.items():
        assert shown, line
        assert all(each.__name__.startswith("test_") for each in shown), line
