"""What stands in the fields: values that hit and values that nobody expects; each call once more, varied."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

from api.reference import actions, described
from fuzz.stock import LINK, Stock

ODD: tuple[Any, ...] = (
    "", " ", "0", "-1", 0, -1, 2**31, 2**63, 10**30, 1.5, True, None, [], [1, 2], {}, "\x00", "\u202e", "\ud800",
    "a" * 3000, "1,2,3", ",,,", "१२", "NaN", "1e9", "' OR 1=1 --", "http://", "javascript:alert(1)", "31/12/2099",
    ",".join(map(str, range(1, 103))), "\n".join("ab"), [None], [[1]], "🔥",
)  # fmt: skip
UNCHANGED, OWN, DROPPED, ALL_AT_ONCE = 0.3, 0.5, 0.1, 0.7  # shares
NAMES = tuple(action.name for action in actions())
ACTIONS = (*NAMES, "", "nonsense")


def vary(body: dict[str, Any], stock: Stock, chance: Random) -> dict[str, Any]:
    """The call, or a right one in its place, with fields dropped, exchanged or made odd; or nothing changed at all."""
    right = right_call(stock, chance)
    if chance.random() < UNCHANGED:
        return right
    varied = dict(body) if chance.random() < OWN else right
    for name in [name for name in varied if name not in ("key", "action")]:
        if chance.random() < DROPPED:
            del varied[name]
    for name in chance.choices([*sorted(varied.keys() - {"key"}), "action", "orders", "order"], k=chance.randint(1, 2)):
        varied[name] = chance.choice(ACTIONS) if name == "action" else chance.choice(ODD)
    return varied


def right_call(stock: Stock, chance: Random) -> dict[str, Any]:
    """One that should be answered: of an order it has the fields of every type, and the service takes its own."""
    hits = _hits(stock)
    action = chance.choice([*NAMES, "add", "add"])
    action_is = described(action)
    assert action_is is not None
    form = chance.choice([form for form in action_is.forms if form.parameters or action in ("services", "balance")])
    fields = {each.name: chance.choice(hits[each.name]) for each in form.parameters if each.name in hits}
    if chance.random() < ALL_AT_ONCE:
        fields = {name: value for name, value in fields.items() if name not in ("runs", "interval")}
    return {"key": stock.key, "action": action, **fields}


def with_real_values(document: dict[str, Any], stock: Stock) -> dict[str, Any]:
    """The document with the key that opens, and beside each field's own values some that hit."""
    real, hits = copy.deepcopy(document), _hits(stock)
    for name, schema in real["components"]["schemas"].items():
        if not name.endswith("Request"):
            continue
        properties = schema["properties"]
        properties["key"] = {"const": stock.key}
        for each in properties.keys() & hits.keys():
            properties[each] = {"anyOf": [{"enum": hits[each]}, properties[each]]}
    return real


def _hits(stock: Stock) -> dict[str, list[Any]]:
    """Values of each field that exist, or fit."""
    return {
        "service": stock.services,
        "order": stock.orders,
        "orders": [*stock.orders[:5], ",".join(map(str, stock.orders)), stock.orders[:3]],
        "refill": stock.refills,
        "refills": [",".join(map(str, stock.refills)), stock.refills],
        "link": [LINK, "https://example.com/p?a=1&b=ä", "@somebody"],
        "quantity": [1, 100, "250", 10_000],
        "username": ["somebody", "@some.body"],
        "comments": ["one", "one\ntwo\r\nthree", ["a", "b"]],
        "usernames": ["one\ntwo"],
        "hashtags": ["#one\ntwo"],
        "hashtag": ["one"],
        "keywords": ["one\ntwo"],
        "groups": ["https://example.com/g"],
        "media": ["https://example.com/m"],
        "answer_number": [1, "2"],
        "runs": [2, 5],
        "interval": [10],
        "min": [10],
        "max": [20],
        "posts": [3],
        "delay": [0, 30],
        "country": ["US"],
        "device": ["1"],
        "type_of_traffic": ["3"],
    }
