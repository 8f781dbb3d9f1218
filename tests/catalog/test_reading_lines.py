"""Reading a customer's line by the declaration of the service's type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.measuring import Limits
from catalog.reading import Read, read_line
from catalog.service_types import SERVICE_TYPES, Quantity, SentLine, ServiceType, add_fields, service_type

LINK = "https://instagram.com/p/abc"
WIDE = Limits(1, 10_000)


def kind(spelling: str) -> ServiceType:
    found = service_type(spelling)
    assert found is not None
    return found


def sent_line(read: Read) -> SentLine:
    measured = read.measured
    return SentLine(
        link=read.link, quantity=read.quantity, details=read.details, runs=measured.runs, interval=measured.interval
    )


# type, what is typed, quantity, what is sent beside `service`
EVERY_TYPE: list[tuple[str, dict[str, object], int | None, dict[str, str]]] = [
    ("Default", {"link": LINK, "quantity": "100"}, 100, {"link": LINK, "quantity": "100"}),
    ("Package", {"link": LINK}, None, {"link": LINK}),
    (
        "SEO", {"link": LINK, "quantity": 5, "keywords": "one\r\n two \n\n"}, 5,
        {"link": LINK, "quantity": "5", "keywords": "one\ntwo"},
    ),
    ("Custom Comments", {"link": LINK, "comments": "a, b\nc"}, 2, {"link": LINK, "comments": "a, b\nc"}),
    ("Custom Comments Package", {"link": LINK, "comments": "a\nb"}, None, {"link": LINK, "comments": "a\nb"}),
    (
        "Mentions", {"link": LINK, "quantity": "9", "usernames": "x\ny"}, 9,
        {"link": LINK, "quantity": "9", "usernames": "x\ny"},
    ),
    (
        "Mentions with Hashtags", {"link": LINK, "quantity": "9", "usernames": "x", "hashtags": "#h\ni"}, 9,
        {"link": LINK, "quantity": "9", "usernames": "x", "hashtags": "#h\ni"},
    ),
    ("Mentions Custom List", {"link": LINK, "usernames": "x\ny\nz"}, 3, {"link": LINK, "usernames": "x\ny\nz"}),
    (
        "Mentions Hashtag", {"link": LINK, "quantity": 1, "hashtag": "#cats"}, 1,
        {"link": LINK, "quantity": "1", "hashtag": "#cats"},
    ),
    (
        "Mentions User Followers", {"link": LINK, "quantity": 1, "username": "https://instagram.com/x"}, 1,
        {"link": LINK, "quantity": "1", "username": "https://instagram.com/x"},
    ),
    (
        "Mentions Media Likers", {"link": LINK, "quantity": 1, "media": LINK}, 1,
        {"link": LINK, "quantity": "1", "media": LINK},
    ),
    (
        "Comment Likes", {"link": LINK, "quantity": 1, "username": "@x.y"}, 1,
        {"link": LINK, "quantity": "1", "username": "@x.y"},
    ),
    (
        "Comment Replies", {"link": LINK, "username": "x", "comments": "a\nb"}, 2,
        {"link": LINK, "username": "x", "comments": "a\nb"},
    ),
    ("Poll", {"link": LINK, "quantity": 1, "answer_number": "2"}, 1,
     {"link": LINK, "quantity": "1", "answer_number": "2"}),
    ("Invites from Groups", {"link": LINK, "quantity": 1, "groups": "g"}, 1,
     {"link": LINK, "quantity": "1", "groups": "g"}),
    (
        "Web Traffic",
        {"link": LINK, "quantity": 1, "country": "US", "device": "5", "type_of_traffic": 1, "google_keyword": "shoes",
         "referring_url": "left over from another choice"}, 1,
        {"link": LINK, "quantity": "1", "country": "US", "device": "5", "type_of_traffic": "1",
         "google_keyword": "shoes"},
    ),
    (
        "Web Traffic",
        {"link": LINK, "quantity": 1, "country": "US", "device": "1", "type_of_traffic": "2", "referring_url": LINK}, 1,
        {"link": LINK, "quantity": "1", "country": "US", "device": "1", "type_of_traffic": "2", "referring_url": LINK},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("type", "typed", "quantity", "sent"), EVERY_TYPE)
def test_each_type_is_read_and_sent_with_exactly_its_parameters(
    type: str, typed: dict[str, object], quantity: int | None, sent: dict[str, str]
) -> None:
    read = read_line(kind(type), {**typed, "key": "k", "action": "add", "service": "1"}, limits=WIDE)
    assert isinstance(read, Read)
    assert read.quantity == quantity
    fields = add_fields(kind(type), sent_line(read), external_id="77")
    assert fields == {"service": "77", **sent}
    assert list(fields) == ["service", *sent]  # in the declaration's order


def test_every_type_is_in_the_table() -> None:
    assert {kind(row[0]).key for row in EVERY_TYPE} | {"subscriptions"} == set(SERVICE_TYPES)
    assert len(SERVICE_TYPES) == 17


@pytest.mark.parametrize(
    ("spelling", "key"),
    [
        ("custom_comments", "custom_comments"), ("Custom-Comments", "custom_comments"), ("DEFAULT", "default"),
        ("MentionsWithHashtags", "mentions_with_hashtags"), ("seo", "seo"), (" Package ", "package"),
        ("Default 2", None), ("", None), ("Custom Comments (package)", None), ("Dеfault", None),  # a Cyrillic е
    ],
)  # fmt: skip
def test_types_are_compared_by_letters(spelling: str, key: str | None) -> None:
    found = service_type(spelling)
    assert (found and found.key) == key


def problems(type: str, limits: Limits = WIDE, /, **typed: object) -> list[tuple[str, str]]:
    found = read_line(kind(type), typed, limits=limits)
    assert isinstance(found, list), found
    return [(problem.field, problem.message) for problem in found]


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ("", "Quantity is required."),
        (None, "Quantity is required."),
        ("1 000", "Quantity must be a whole number, in digits only."),
        ("1,000", "Quantity must be a whole number, in digits only."),
        ("10.0", "Quantity must be a whole number, in digits only."),
        ("1e3", "Quantity must be a whole number, in digits only."),
        ("-100", "Quantity must be a whole number, in digits only."),
        ("١٠٠", "Quantity must be a whole number, in digits only."),
        ("9" * 19, "Quantity is far too large."),
        (10**30, "Quantity is far too large."),
        (True, "Quantity must be text or a whole number."),
        (100.0, "Quantity must be text or a whole number."),
        ([100], "Quantity must be text or a whole number."),
        (0, "Quantity must be at least 1."),
        (49, "Quantity must be between 50 and 10,000."),
        ("10001", "Quantity must be between 50 and 10,000."),
        (75, "Quantity must be a multiple of 50."),
    ],
)
def test_wrong_quantities(quantity: object, message: str) -> None:
    assert problems("Default", Limits(50, 10_000, 50), link=LINK, quantity=quantity) == [("quantity", message)]


@pytest.mark.parametrize(
    "link",
    [
        "https://instagram.com/p/abc", "HTTP://t.me/channel", "https://www.tiktok.com/@user/video/1?x=1#y",
        "@user", "user.name_1", "https://пример.рф/страница", "https://[2001:db8::1]/x", "  https://t.me/x\n",
    ],
)  # fmt: skip
def test_good_links(link: str) -> None:
    read = read_line(kind("Default"), {"link": link, "quantity": 1}, limits=WIDE)
    assert isinstance(read, Read)
    assert read.link == link.strip()


@pytest.mark.parametrize(
    "link",
    [
        "instagram.com/user", "javascript:alert(1)", "ftp://x.example", "https://", "https://nohost", "//x.example",
        "https://user:pass@x.example", "https://x.example/a b", "https://x.example:port/", "two words", "https://[1/",
    ],
)  # fmt: skip
def test_bad_links(link: str) -> None:
    expected = [("link", "Enter a full link that starts with https://, or a username.")]
    assert problems("Default", link=link, quantity=1) == expected


def test_a_page_is_no_username() -> None:
    assert problems("Poll", link="@user", quantity=1, answer_number=1) == [
        ("link", "Enter a full link that starts with https://.")
    ]


@pytest.mark.parametrize("dirt", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\ud800"])
def test_control_characters_are_refused_everywhere(dirt: str) -> None:
    assert problems("Custom Comments", link=f"https://x.example/{dirt}a", comments=f"fine\nnot{dirt}fine") == [
        ("link", "Link holds characters that cannot be used."),
        ("comments", "Comments holds characters that cannot be used."),
    ]


def test_emoji_of_several_parts_are_fine() -> None:
    comments = "👨‍👩‍👧‍👦 ♻️\nне плохо\u2028still"
    read = read_line(kind("Custom Comments"), {"link": LINK, "comments": comments}, limits=WIDE)
    assert isinstance(read, Read)
    assert read.quantity == 2


def test_counted_lines_are_held_to_the_limits() -> None:
    expected = [("comments", "Comments must have between 3 and 4 lines; yours have 2.")]
    assert problems("Custom Comments", Limits(3, 4), link=LINK, comments="a\n\n \nb", quantity=4) == expected


def test_lines_are_limited_in_number_and_length(settings: object) -> None:
    settings.MAX_LINES, settings.MAX_LINE_LENGTH, settings.MAX_LINES_LENGTH = 3, 5, 50  # type: ignore[attr-defined]
    assert problems("Custom Comments", link=LINK, comments="a\nb\nc\nd") == [
        ("comments", "Comments may have at most 3 lines.")
    ]
    assert problems("Custom Comments", link=LINK, comments="a\nbbbbbb") == [
        ("comments", "Line 2 is longer than 5 characters.")
    ]
    assert problems("Custom Comments", link=LINK, comments="x" * 51) == [
        ("comments", "Comments may have at most 50 characters.")
    ]
    assert problems("Custom Comments", link=LINK, comments=" \n\r\n ") == [("comments", "Comments are required.")]


def test_everything_wrong_is_told_at_once() -> None:
    assert [field for field, _ in problems("Web Traffic", link="x y", quantity="no", device="6")] == [
        "link", "quantity", "country", "device", "type_of_traffic",
    ]  # fmt: skip


def test_drip_feed_is_refused_where_the_service_has_none() -> None:
    found = problems("Default", link=LINK, quantity=1, runs=3, interval="60")
    assert found == [
        ("runs", "This service has no drip-feed. Leave runs and interval empty."),
        ("interval", "This service has no drip-feed. Leave runs and interval empty."),
    ]
    empty = {"link": LINK, "quantity": 1, "runs": "", "interval": 0}
    assert isinstance(read_line(kind("Default"), empty, limits=WIDE), Read)


NUMBERS = st.one_of(st.integers(0, 130), st.integers(0, 130).map(str))
TEXTS = st.one_of(st.sampled_from([LINK, "ann", "a\nb", "31/12/2099", "5", "1"]), st.text(max_size=20))
OTHERS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.text(max_size=3)))
anything = st.one_of(NUMBERS, TEXTS, OTHERS)
NAMES = sorted({field.name for one in SERVICE_TYPES.values() for field in one.fields})


@given(
    type=st.sampled_from(sorted(SERVICE_TYPES)),
    raw=st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, anything)),
    dripfeed=st.booleans(),
    open_posts=st.sampled_from([None, 3, 5000]),
)
def test_whatever_is_sent_is_read_or_refused_at_its_fields(
    type: str, raw: dict[str, object], dripfeed: bool, open_posts: int | None
) -> None:
    declared = SERVICE_TYPES[type]
    found = read_line(declared, raw, limits=Limits(1, 100, dripfeed=dripfeed, open_posts=open_posts))
    if isinstance(found, Read):
        assert (found.quantity is None) == (declared.quantity is Quantity.NONE)
        assert found.measured.span is None or 1 <= found.measured.span[0] <= found.measured.span[1] <= 100
        times = found.measured.runs or int(found.details.get("posts", "1"))  # in all it may be more than at a time
        assert found.quantity is None or found.quantity == found.measured.span[1] * times  # type: ignore[index]
        assert all(isinstance(value, str) and "\x00" not in value for value in found.details.values())
        own_columns = {"link", "quantity", "runs", "interval"}
        assert set(found.details) <= {field.name for field in declared.fields} - own_columns
    else:
        assert found
        assert {problem.field for problem in found} <= {field.name for field in declared.fields}
        assert len({problem.field for problem in found}) == len(found), "one sentence a field"


def test_a_line_of_blanks_of_any_kind_is_empty() -> None:
    comments = "\u00a0\n\u3000one\u00a0\r\n\t\u2003\ntwo"
    read = read_line(kind("Custom Comments"), {"link": LINK, "comments": comments}, limits=WIDE)
    assert isinstance(read, Read)
    assert (read.quantity, read.details["comments"]) == (2, "one\ntwo")


@given(lines=st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=50), min_size=1))
def test_as_many_lines_are_counted_as_are_not_blank(lines: list[str]) -> None:
    written = [line for line in lines if line.strip()]
    found = read_line(kind("Custom Comments"), {"link": LINK, "comments": "\r\n".join(lines)}, limits=WIDE)
    assert (found.quantity if isinstance(found, Read) else 0) == len(written)
