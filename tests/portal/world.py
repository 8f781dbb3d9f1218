"""A panel that is in use, for what looks at all of its pages: one customer with little, one with much and awkward rows,
one with a second factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.utils import timezone

from accounts import second_factor
from accounts.calls import Logged, keep_call
from accounts.deposits import deposit
from accounts.keys import issue_key
from accounts.models import ApiKey, Customer
from accounts.tokens import Move, join_token, move_token, reset_token
from callbacks.models import CallbackAddress
from callbacks.outbox import send_test
from catalog.models import Service
from catalog.sentences import kept, say
from conversations.models import Thread
from conversations.talking import answer, open_thread
from news.models import Announcement
from orders.mass import place_next, preview, start
from orders.models import CancelRequest, MassOrder, Order, RefillRequest, Status
from records.audit import SYSTEM, actor_of
from tests.portal.builders import LINK, a_customer, a_service, an_order, ended, it_happened, under_way

LONG = (
    "🔥 Подписчики Instagram | Максимальное качество 💎 | Живые аккаунты с аватарками и публикациями | "
    "Скорость до 50 000 в сутки ⚡ | Гарантия восстановления 365 дней ♻️ | Без списаний | Старт 0–15 минут 🚀"
)
LONG_LINK = "https://www.example.com/a/very/long/path/" + "segment-" * 30 + "?utm_source=newsletter&id=1234567890"
MOST = 2_147_483_647
ENDED = ("Completed", "Rejected", "Canceled", "Error")


@dataclass(frozen=True, slots=True)
class World:
    """Who there is, and what the addresses of scenes name: {running} in a path is that order's id."""

    customers: dict[str, Customer]
    secret: str  # of the second factor
    names: dict[str, str]

    def code(self, steps: int = 0) -> str:
        return str(format_hotp_value(hotp_value(self.secret, int(timezone.now().timestamp()) // 30 + steps)))


def a_world() -> World:
    little = a_customer("new@example.com", balance="0.000001")
    much = a_customer("much@example.com", balance="1234.5")
    guarded = a_customer("guarded@example.com", balance="25")
    secret = second_factor.new_secret()
    world = World({"little": little, "much": much, "guarded": guarded}, secret, {})
    assert second_factor.switch_on(user=guarded.user, secret=secret, code=world.code(-1))
    services = _services()
    names = {name: service.pk for name, service in services.items()}
    names |= {name: order.pk for name, order in _orders(much, services).items()}
    names |= _lists(much, services) | {"key": _api(much), "address": _callbacks(much)}
    _news()
    tokens = {
        "join": join_token("nina@example.com"),
        "reset": reset_token(little.user),
        "move": move_token(
            Move(little.user.pk, little.user.email, "newer@example.com", little.user.get_session_auth_hash())
        ),
    }
    world.names.update({name: str(pk) for name, pk in names.items()} | tokens)
    return world


def _services() -> dict[str, Service]:
    text = "Starts within an hour.\nUp to 5,000 a day.\nThe account must be public."
    named = {
        "plain": a_service(
            "Instagram followers, real, 30 days refill", description=text, refill=True, refill_days=30, cancel=True
        ),
        "strange": a_service(
            LONG[:200],
            category="📸 Instagram · Подписчики " + "и всё остальное " * 8,
            description="Слова и условия. " * 120,
            rate=Decimal("0.000123"),
            min=10,
            max=MOST,
        ),
        "package": a_service(
            "Launch package: 500 followers, 200 likes", type="package", rate=Decimal("49.99"), category="Packages"
        ),
        "comments": a_service(
            "Custom comments", type="custom_comments", rate=Decimal(8), min=10, max=1500, category="Comments"
        ),
        "posts": a_service(
            "Likes for new posts", type="subscriptions", rate=Decimal("1.2"), min=20, max=5000, category="Subscriptions"
        ),
        "poll": a_service("Poll votes", type="poll", rate=Decimal("2.5"), category="Polls"),
        "drip": a_service(
            "Telegram views by drip-feed", dripfeed=True, rate=Decimal("0.05"), category="Telegram views"
        ),
    }
    kinds = [
        (network, what, speed)
        for network in ("TikTok", "YouTube", "Telegram")
        for what in ("views", "likes")
        for speed in ("slow and steady", "fast", "from Germany")
    ]
    for n, (network, what, speed) in enumerate(kinds):
        name, rate = f"{network} {what}, {speed}", Decimal(n * 37 % 91 + 1) / 100
        a_service(name, category=f"{network} {what}", rate=rate, refill=n % 2 == 0, cancel=n % 3 == 0)
    named["plain"].rate = Decimal("0.85")
    named["plain"].save()
    named["poll"].visible = False
    named["poll"].save()
    named["poll"].visible = True
    named["poll"].save()
    return named


def _orders(customer: Customer, services: dict[str, Service]) -> dict[str, Order]:
    plain, strange = services["plain"], services["strange"]
    now, hour = timezone.now(), timedelta(hours=1)
    deposit(
        customer=customer, amount=Decimal("0.000001"), reference="screens", actor=SYSTEM, note="Bank transfer 23501"
    )
    old = [
        ended(customer, service=each, created_at=now - timedelta(days=n)) for n, each in enumerate(services.values())
    ]
    partial = ended(
        customer, Status.PARTIAL, plain, quantity=5000, remains=1234, charge=Decimal("4.5"), refunded=Decimal("1.1106")
    )
    canceled = ended(customer, Status.CANCELED, plain, refunded=Decimal("0.90"))
    running = under_way(
        customer, plain, quantity=10_000, remains=6_400, start_count=3572, charge=Decimal(9), created_at=now - 3 * hour
    )
    it_happened(running, "accepted", at=now - 2 * hour)
    it_happened(running, "cancel_asked", at=now - timedelta(minutes=4))
    huge = under_way(
        customer, strange, quantity=MOST, remains=2_000_000_000, link=LONG_LINK, charge=Decimal("264.140469")
    )
    asked = ended(customer, service=plain)
    _wishes(customer, [old[0], partial, asked], [running, canceled, huge])
    words = {"topic": Thread.Topic.values[0], "text": "It fell by half."}
    thread = open_thread(order=asked, actor=actor_of(customer.user), **words)
    answer(thread=thread, text="We look into it.\n" + "Подробности " * 40, actor=SYSTEM)
    waiting = an_order(customer, plain)
    return {
        "waiting": waiting,
        "running": running,
        "huge": huge,
        "partial": partial,
        "canceled": canceled,
        "completed": old[0],
        "asked": asked,
    }


def _wishes(customer: Customer, to_refill: list[Order], to_cancel: list[Order]) -> None:
    now = timezone.now()
    for order, status in zip(to_refill, ("Rejected", "In progress", "Completed"), strict=True):
        reason = "The drop is below the least of 10 percent. " * 4 if status == "Rejected" else ""
        at = now if status in ENDED else None
        RefillRequest.objects.create(order=order, customer=customer, status=status, reason=reason, ended_at=at)
    for order, word in zip(to_cancel, ("asked", "done", "refused"), strict=True):
        at = None if word == "asked" else now
        CancelRequest.objects.create(order=order, customer=customer, status=word, ended_at=at)


def _lists(customer: Customer, services: dict[str, Service]) -> dict[str, int]:
    """One of each state: looked at with good and bad lines, on its way, done, stopped in the middle."""
    plain, strange = services["plain"].pk, services["strange"].pk
    good = "\n".join(f"{plain} | {LINK}-{n} | 1000" for n in range(12))
    bad = f"{strange} | {LONG_LINK} | {MOST}\n{plain} | not a link | 7\n999999 | {LINK} | 100\nx | y | z"
    lists = {
        "mixed": preview(customer=customer, text=f"{good}\n{bad}"),
        "short": preview(customer=customer, text=f"{strange} | {LINK} | {MOST}\n" * 20),
        "hopeless": preview(customer=customer, text="x | y | z"),
        "placing": preview(customer=customer, text=good),
        "stopped": preview(customer=customer, text=good),
        "done": preview(customer=customer, text=f"{plain} | {LINK}-a | 100\n{plain} | {LINK}-b | 100"),
    }
    start(mass=lists["done"], version=lists["done"].version, whole=True)
    while place_next(lists["done"].pk):
        pass
    state = MassOrder.State
    MassOrder.objects.filter(pk=lists["placing"].pk).update(state=state.PLACING, next_line=5)
    why = kept(say("Your balance is too low. Nothing was charged for this line."))
    MassOrder.objects.filter(pk=lists["stopped"].pk).update(
        state=state.STOPPED, next_line=5, placed=5, charged=Decimal("4.5"), why=why
    )
    return {f"list_{name}": mass.pk for name, mass in lists.items()}


def _api(customer: Customer) -> int:
    key, _ = issue_key(customer, "Shop, live", addresses=["203.0.113.7/32", "198.51.100.0/24"])
    issue_key(customer, LONG[:60])
    for action, asked, answered in (
        ("add", "service=1, link=https://example.com/me, quantity=1000", '{"order": 23501}'),
        ("status", f"orders={','.join(map(str, range(23400, 23460)))}", '{"error": "Incorrect order ID"}'),
        ("balance", "", '{"balance": "100.84292", "currency": "USD"}'),
    ):
        now = int(timezone.now().timestamp())
        keep_call(customer.pk, Logged(now - 90, "smm_Ab12Cd34", action, asked, answered, 4))
    assert isinstance(key, ApiKey)
    return key.pk


def _callbacks(customer: Customer) -> int:
    addresses = [
        CallbackAddress.objects.create(customer=customer, url=url, secret="whsec_AA==", **more)
        for url, more in (
            ("https://shop.example.com/hooks/panel", {}),
            ("https://example.com/" + "a" * 400, {"active": False, "off_reason": "It did not answer for a week."}),
        )
    ]
    send_test(address=addresses[0], actor=SYSTEM)
    return addresses[0].pk


def _news() -> None:
    day = timedelta(days=1)
    now = timezone.now()
    Announcement.objects.create(
        title="A planned break on Sunday",
        level="warning",
        body="From 02:00 to 02:30 UTC nothing can be ordered.",
        starts_at=now - day,
    )
    for title, body, ago in (
        ("New: services for Telegram", "See https://example.com/telegram for how they are delivered.", 2 * day),
        (LONG[:120], "Слово " * 200, 3 * day),
    ):
        Announcement.objects.create(title=title, body=body, starts_at=now - ago, on_top=False)
