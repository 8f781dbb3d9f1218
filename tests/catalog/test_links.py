"""Which links are the same: every spelling of one target has one key, and two targets never share one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.links import link_key, plain_link

POST = "https://instagram.com/p/CxYz_1-a"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (POST, "HTTP://WWW.Instagram.COM/p/CxYz_1-a/"),
        (POST, "https://instagram.com:443/p/CxYz_1-a//"),
        (POST, "http://instagram.com.:80/p/CxYz_1-a"),
        (POST, "https://instagram.com/p/CxYz_1-a?igsh=MzRlODBiNWFlZA==&utm_source=qr"),
        (POST, "https://instagram.com/p/CxYz_1-a/?UTM_Medium=x&fbclid=1&hl=de&img_index=2#comments"),
        (POST, "https://instagram.com/p/CxYz%5f1%2Da?"),
        ("https://youtube.com/watch?v=AbC", "https://www.youtube.com/watch?si=tr4ck&v=AbC&t=42s&feature=shared"),
        ("https://youtu.be/AbC", "https://youtu.be/AbC?t=42"),
        ("https://example.com/?a=1&b=2", "https://example.com?b=2&a=1"),
        ("https://example.com/?a=&b=x%20y", "https://example.com/?b=x+y&a"),
        ("https://example.com/?u=https%3a%2f%2fa.b", "https://example.com/?u=https://a.b"),
        ("https://tiktok.com/@name", "https://www.tiktok.com/%40name?_t=8&_r=1"),
        ("https://x.com/name/status/1", "https://x.com/name/status/1?s=20&t=abc"),
        ("https://пример.рф/путь", "https://XN--E1AFMKFD.xn--p1ai/%d0%bf%D1%83%d1%82%d1%8c/"),
        ("https://facebook.com/a", "https://facebook.com/a?mibextid=Z&__cft__[0]=AZ&__tn__=R"),
        ("https://[2001:DB8::1]/a", "http://[2001:db8::1]:80/a"),
        ("@Some.Name", "some.name"),
        ("SOME_NAME", "@@some_name/"),
    ],
)
def test_one_target_in_two_spellings(one: str, other: str) -> None:
    assert plain_link(one) == plain_link(other)
    assert link_key(one) == link_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://youtube.com/watch?v=AbC", "https://youtube.com/watch?v=abc"),
        ("https://youtube.com/watch?v=AbC", "https://youtube.com/watch"),
        ("https://bit.ly/AbC", "https://bit.ly/aBc"),
        ("https://example.com/a", "https://example.com/a/b"),
        ("https://example.com/a", "https://shop.example.com/a"),
        ("https://example.com/a", "https://example.com:8443/a"),
        ("https://example.com/a/b", "https://example.com/a%2Fb"),
        ("https://example.com/a%25b", "https://example.com/a%b5"),
        ("https://example.com/?a=1&b=2", "https://example.com/?a=2&b=1"),
        ("https://example.com/?a=1%26b=2", "https://example.com/?a=1&b=2"),
        ("https://forum.example.com/topic?t=1", "https://forum.example.com/topic?t=2"),
        ("https://web.telegram.org/k/#@one", "https://web.telegram.org/k/#@other"),
        ("https://app.example.com/#!/one", "https://app.example.com/#!/other"),
        ("https://www.com/", "https://com.com/"),
        ("one", "other"),
        ("some.name", "somename"),
        ("example.com", "https://example.com/"),
    ],
)
def test_two_targets(one: str, other: str) -> None:
    assert link_key(one) != link_key(other)


@pytest.mark.parametrize("odd", ["", "@", "https://", "http://[", "http://[::1", "https://a:b", "https://a:99999999/x"])
def test_what_is_no_link_is_the_same_as_itself_alone(odd: str) -> None:
    assert link_key(odd) == link_key(odd)
    assert link_key(odd) != link_key(odd + "x")


def test_a_key_fits_its_column() -> None:
    assert len(link_key("https://example.com/" + "x" * 5000)) == 32


HOSTS = st.sampled_from(
    ["Example.com", "www.example.com", "www.www.a.b", "пример.рф", "ß.de", "a..b", "[::1]", "x。y.。"]
)
PARTS = st.text(alphabet="aZ09%/?#&=+;:@.~_- ©Ж\ud800\t!", max_size=20)
ADDRESSES = st.builds("{}{}{}".format, st.sampled_from(["https://", "HTTP://", "//", "@https://"]), HOSTS, PARTS)


@given(st.one_of(st.text(), ADDRESSES, st.text().map("https://{}".format)))
def test_no_text_is_refused_and_a_plain_link_is_plain(text: str) -> None:
    plain = plain_link(text)
    assert plain_link(plain) == plain
    assert link_key(plain) == link_key(text)


@given(PARTS, st.sampled_from(["fbclid=1", "UTM_source=a%20b", "igsh=", "si"]))
def test_who_shared_it_never_counts(rest: str, tracking: str) -> None:
    path, _, query = rest.replace("#", "").partition("?")
    link = f"https://example.com/{path}"
    assert (
        link_key(f"{link}?{query}&{tracking}")
        == link_key(f"{link}?{tracking}&{query}#top")
        == link_key(f"{link}?{query}")
    )


@given(st.text(alphabet="aZ09_.-", min_size=1, max_size=30))
def test_a_handle_is_the_same_in_any_case_and_with_its_sign(name: str) -> None:
    assert link_key(name) == link_key(f"@{name.upper()}") == link_key(name.lower())
