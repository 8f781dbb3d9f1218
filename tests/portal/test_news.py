"""Announcements: who sees which, when, how one is put away, and what they cost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Customer, User
from news.models import Announcement, Dismissal
from news.showing import dismiss, on_top, quiet
from records.models import AuditEntry

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _ask_anew() -> Iterator[None]:
    quiet.end()
    yield
    quiet.end()


def announce(title: str, *, ago: timedelta = HOUR, **fields: Any) -> Announcement:
    return Announcement.objects.create(title=title, starts_at=timezone.now() - ago, **fields)


def _titles(page: str) -> list[str]:
    return re.findall(r'class="announcement-title"[^>]*>([^<]*)<', page)


def test_the_newest_three_in_force_stand_on_top(as_alice: Client) -> None:
    for number in range(5):
        announce(f"News {number}", ago=HOUR * (9 - number))
    announce("Tomorrow's", ago=-HOUR)
    announce("Yesterday's", ago=HOUR * 2, ends_at=timezone.now() - HOUR)
    announce("Quiet", on_top=False)
    page = as_alice.get("/orders/").content.decode()
    assert _titles(page) == ["News 4", "News 3", "News 2"]


def test_one_that_is_put_away_makes_room_and_stays_away_on_every_device(
    as_alice: Client, alice: Customer, charlie: Customer
) -> None:
    rows = [announce(f"News {number}", ago=HOUR * (9 - number)) for number in range(4)]
    done = as_alice.post("/news/dismiss/", {"announcement": rows[3].pk, "next": "/funds/"})
    assert (done.status_code, done.headers["Location"]) == (302, "/funds/")
    elsewhere = Client()
    elsewhere.force_login(alice.user, backend="django.contrib.auth.backends.ModelBackend")
    assert _titles(elsewhere.get("/funds/").content.decode()) == ["News 2", "News 1", "News 0"]
    assert [each.title for each in on_top(charlie)] == ["News 3", "News 2", "News 1"]


def test_a_script_takes_it_away_without_a_new_page(as_alice: Client) -> None:
    row = announce("Break at noon")
    answer = as_alice.post("/news/dismiss/", {"announcement": row.pk}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (200, b"")


def test_put_away_twice_is_once(alice: Customer) -> None:
    row = announce("Break at noon")
    for _ in range(2):
        dismiss(announcement=row, customer=alice)
    assert Dismissal.objects.count() == 1


@pytest.mark.parametrize("number", ["", "x", "999", str(10**30), "-1"])
def test_what_is_not_there_cannot_be_put_away(as_alice: Client, number: str) -> None:
    planned = announce("Tomorrow's", ago=-HOUR)
    assert as_alice.post("/news/dismiss/", {"announcement": number}).status_code == 404
    assert as_alice.post("/news/dismiss/", {"announcement": planned.pk}).status_code == 404
    assert not Dismissal.objects.exists()


def test_what_the_operator_writes_is_text(as_alice: Client) -> None:
    announce("<b>Big</b>", body="One\n<script>alert(1)</script> https://status.example/now", level="warning")
    for path in ("/orders/", "/news/"):
        page = as_alice.get(path).content.decode()
        assert "&lt;b&gt;Big" in page
        assert "<script>alert" not in page
    assert "One<br>" in page
    assert 'href="https://status.example/now"' in page


def test_news_has_all_that_began_by_pages_the_newest_first(as_alice: Client, settings: Settings) -> None:
    settings.PORTAL_NEWS_PAGE = 2
    announce("Old", ago=HOUR * 9, ends_at=timezone.now() - HOUR)
    announce("Quiet", on_top=False)
    announce("Same moment", ago=HOUR * 5)
    announce("Planned ahead", ago=HOUR * 3)
    announce("Tomorrow's", ago=-HOUR)
    seen, address = [], "/news/"
    while address:
        page = as_alice.get(address).content.decode()
        assert _titles(page) == []  # not twice on one page
        seen += re.findall(r'<h2 class="wrap-anywhere">([^<]*)<', page)
        older = re.search(r'href="(\?before=\d+)"', page)
        address = f"/news/{older[1]}" if older else ""
    assert seen == ["Quiet", "Planned ahead", "Same moment", "Old"]
    assert "Newest" in page
    assert "Ended" in page


def test_no_news_says_what_will_be_there(as_alice: Client) -> None:
    assert "No news yet" in as_alice.get("/news/").content.decode()


def test_visitors_fragments_and_staff_are_told_nothing(client: Client, as_alice: Client, bob: User) -> None:
    announce("Break at noon")
    assert "Break at noon" not in Client().get("/sign-in/").content.decode()
    assert "Break at noon" not in Client().get("/docs/api/").content.decode()
    with CaptureQueriesContext(connection) as asked:
        as_alice.get("/orders/", headers={"HX-Request": "true", "HX-Target": "found"})
        as_alice.get("/orders/live/?ids=1")
    assert not [query for query in asked if "news_" in query["sql"]]
    staff = Client()
    staff.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    assert "Break at noon" not in staff.get("/account/").content.decode()


def test_they_cost_one_query_and_none_while_there_are_none(as_alice: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            as_alice.get("/funds/")
        return len([query for query in queries if "news_" in query["sql"]])

    assert (asked(), asked()) == (1, 0)
    for number in range(3):
        announce(f"News {number}")
    quiet.end()
    assert (asked(), asked()) == (1, 1)


def test_the_database_refuses_an_end_before_the_start() -> None:
    with pytest.raises(IntegrityError):
        announce("Upside down", ends_at=timezone.now() - HOUR * 2)


def test_staff_write_one_and_take_it_back_on_record(client: Client, bob: User, alice: Customer) -> None:
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    now = timezone.now()
    typed = {
        "title": "Break at noon", "body": "Half an hour.", "level": "warning", "on_top": "on",
        "starts_at_0": f"{now - HOUR:%Y-%m-%d}", "starts_at_1": f"{now - HOUR:%H:%M}", "ends_at_0": "", "ends_at_1": "",
    }  # fmt: skip
    assert not on_top(alice)  # and from now on this process would not ask for a while
    assert client.post("/admin/news/announcement/add/", typed).status_code == 302
    row = Announcement.objects.get()
    assert [each.title for each in on_top(alice)] == ["Break at noon"]
    upside_down = {**typed, "ends_at_0": f"{now - HOUR * 9:%Y-%m-%d}", "ends_at_1": f"{now - HOUR * 9:%H:%M}"}
    refused = client.post(f"/admin/news/announcement/{row.pk}/change/", upside_down)
    assert "It must end after it starts." in refused.content.decode()
    client.post(f"/admin/news/announcement/{row.pk}/change/", {**typed, "title": "Break at one"})
    assert "Break at one" in client.get("/admin/news/announcement/?state=now").content.decode()
    assert "Break at one" not in client.get("/admin/news/announcement/?state=planned").content.decode()
    dismiss(announcement=row, customer=alice)
    client.post(f"/admin/news/announcement/{row.pk}/delete/", {"post": "yes"})
    assert not Announcement.objects.exists()
    trail = AuditEntry.objects.filter(target_type="news.announcement").order_by("pk")
    assert [entry.action for entry in trail] == ["add announcement", "edit announcement", "delete announcement"]
    assert (trail[0].after["title"], trail[1].before["title"]) == ("Break at noon", "Break at noon")
    assert trail[1].after == {"title": "Break at one"}
