"""A client as simple as can be, and orders for it to place."""

from __future__ import annotations

from typing import Any

import requests

from providers.sandbox.server import Sandbox

TIMEOUT = 10
FOLLOWERS, FAST_LIKES, PACKAGE, SUBSCRIPTION, COMMENTS, ONE_A_LINK, UNKNOWN_TYPE = 1, 11, 14, 13, 21, 61, 63

#: Every type with the id of a service of it in the sandbox's own catalogue and fields that make an order.
ORDERS: dict[str, dict[str, str]] = {
    "Default": {"service": "1", "link": "https://example.com/a", "quantity": "1000"},
    "Package": {"service": "14", "link": "https://example.com/a"},
    "SEO": {"service": "52", "link": "https://example.com/a", "quantity": "100", "keywords": "one\ntwo"},
    "Custom Comments": {"service": "21", "link": "https://example.com/a", "comments": "\r\n".join("abcdefghij")},
    "Custom Comments Package": {"service": "22", "link": "https://example.com/a", "comments": "good, very\nnice"},
    "Mentions": {"service": "23", "link": "https://example.com/a", "quantity": "10", "usernames": "ann\nbob"},
    "Mentions with Hashtags": {
        "service": "24",
        "link": "https://example.com/a",
        "quantity": "10",
        "usernames": "ann",
        "hashtags": "sun",
    },
    "Mentions Custom List": {"service": "25", "link": "https://example.com/a", "usernames": "a\nb\nc\nd\ne"},
    "Mentions Hashtag": {"service": "26", "link": "https://example.com/a", "quantity": "10", "hashtag": "sun"},
    "Mentions User Followers": {"service": "27", "link": "https://example.com/a", "quantity": "10", "username": "ann"},
    "Mentions Media Likers": {
        "service": "28",
        "link": "https://example.com/a",
        "quantity": "10",
        "media": "https://example.com/m",
    },
    "Comment Likes": {"service": "32", "link": "https://example.com/a", "quantity": "10", "username": "ann"},
    "Comment Replies": {"service": "33", "link": "https://example.com/a", "username": "ann", "comments": "thanks"},
    "Poll": {"service": "43", "link": "https://example.com/a", "quantity": "10", "answer_number": "2"},
    "Invites from Groups": {"service": "44", "link": "https://example.com/a", "quantity": "100", "groups": "g1\ng2"},
    "Subscriptions": {"service": "13", "username": "ann", "min": "20", "max": "50", "posts": "3", "delay": "5"},
    "Web Traffic": {
        "service": "51",
        "link": "https://example.com/a",
        "quantity": "500",
        "country": "US",
        "device": "1",
        "type_of_traffic": "1",
        "google_keyword": "shoes",
    },
}


def ask(sandbox: Sandbox, action: str, **fields: object) -> Any:
    """One request, on a connection of its own; the answer's JSON."""
    return post(sandbox, action, **fields).json()


def post(sandbox: Sandbox, action: str, **fields: object) -> requests.Response:
    data = {"key": sandbox.key, "action": action, **{name: str(value) for name, value in fields.items()}}
    return requests.post(sandbox.url, data=data, timeout=TIMEOUT, allow_redirects=False)


def place(sandbox: Sandbox, word: str = "", **fields: object) -> int:
    """An order for 1000 followers (0.90), with a sandbox word in its link; its id."""
    link = f"https://example.com/p?sandbox={word}" if word else "https://example.com/p"
    answer = ask(sandbox, "add", **({"service": FOLLOWERS, "link": link, "quantity": 1000} | fields))
    assert set(answer) == {"order"}, answer
    return int(answer["order"])


def status(sandbox: Sandbox, order: int) -> dict[str, Any]:
    answer = ask(sandbox, "status", order=order)
    assert isinstance(answer, dict)
    return answer
