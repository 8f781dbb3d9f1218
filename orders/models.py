"""An order, each attempt to buy it upstream, its story, and the requests to refill or cancel it."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import ApiKey, Customer
from catalog.models import ProviderService, Service
from ledger.fields import ExchangeRateField, MoneyField
from providers.models import Provider


class State(models.TextChoices):
    """Where an order is in its life, for us. What the customer reads is its `Status`."""

    WAITING = "waiting", "Waiting to be sent"
    SENDING = "sending", "Being sent"
    UNKNOWN = "unknown", "Not known whether the provider took it"
    HELD = "held", "Held back"
    BY_HAND = "by_hand", "Fulfilled by hand"
    SERIES = "series", "Sent run by run"
    QUEUED = "queued", "Waits for another order of its link"
    ACCEPTED = "accepted", "With the provider"
    REVIEW = "review", "The operator decides what was delivered"
    ENDED = "ended", "Ended"


class Status(models.TextChoices):
    """What the customer reads; the words of API v2. Active, Paused and Expired are of subscriptions alone."""

    PENDING = "Pending", "Pending"
    IN_PROGRESS = "In progress", "In progress"
    PROCESSING = "Processing", "Processing"
    COMPLETED = "Completed", "Completed"
    PARTIAL = "Partial", "Partial"
    CANCELED = "Canceled", "Canceled"
    ACTIVE = "Active", "Active"
    PAUSED = "Paused", "Paused"
    EXPIRED = "Expired", "Expired"


class Origin(models.TextChoices):
    """How an order was placed."""

    PORTAL = "portal", "Order form"
    MASS = "mass", "Mass order"
    API = "api", "API"


FINAL = (Status.COMPLETED, Status.PARTIAL, Status.CANCELED, Status.EXPIRED)
LIVE = tuple(status for status in Status if status not in FINAL)


UNDER_WAY = (State.SENDING, State.UNKNOWN, State.ACCEPTED, State.REVIEW)  # the provider has it, or may have it


class Order(models.Model):
    """What was sold, for how much, and where it is. The row is its own queue: claims are conditional updates of it."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders", db_index=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="orders", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    origin = models.CharField(
        max_length=6,
        choices=Origin.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Empty for runs, and for orders of before it was kept.",
    )
    # Without a constraint in the database, which would read the whole table when it is added. Keys are never deleted.
    api_key = models.ForeignKey(
        ApiKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False, db_constraint=False
    )

    # What was sold, as it was
    service_name = models.CharField(max_length=500)
    service_type = models.CharField(max_length=40)
    rate = MoneyField()
    refill = models.BooleanField(default=False)
    refill_days = models.PositiveIntegerField(null=True, blank=True)
    cancel = models.BooleanField(default=False)
    link = models.CharField(max_length=2000)
    quantity = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="In all: of every run, or the most of every post. Empty for what cannot be divided (a package).",
    )
    runs = models.PositiveIntegerField(null=True, blank=True, help_text="Of a drip-feed; empty for anything else.")
    interval = models.PositiveIntegerField(null=True, blank=True, help_text="Minutes between two runs of a drip-feed.")
    details = models.JSONField(default=dict, blank=True, help_text="The type's other fields, as sent to the provider.")
    charge = MoneyField()
    refunded = MoneyField(default=Decimal(0))

    # Where it is
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it is held, unknown, under review or ended.")
    provider = models.ForeignKey(Provider, null=True, blank=True, on_delete=models.PROTECT, db_index=False)
    provider_service = models.ForeignKey(
        ProviderService, null=True, blank=True, on_delete=models.PROTECT, db_index=False
    )
    not_before = models.DateTimeField(default=timezone.now)
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    cancel_wished_at = models.DateTimeField(null=True, blank=True)
    link_key = models.CharField(max_length=64, blank=True, help_text="The same for every spelling of one link.")
    one_at_a_time = models.BooleanField(
        default=False, help_text="It is sent only while no other such order is under way at its provider's service."
    )

    # A drip-feed that the panel runs: the parent was sold and paid, each run is an order of its own without a charge
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="run_orders", db_index=False
    )
    run = models.PositiveIntegerField(null=True, blank=True, help_text="Which run of its parent it is, from 1.")
    runs_left = models.PositiveIntegerField(null=True, blank=True, help_text="Runs that were not begun yet.")
    next_run_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty while the run before has not been sent, or none is left."
    )
    undelivered = models.BigIntegerField(default=0, help_text="Of the quantity, what ended runs did not deliver.")

    # What the provider says
    upstream_id = models.CharField(max_length=64, null=True, blank=True)
    upstream_status = models.CharField(max_length=60, blank=True)
    start_count = models.BigIntegerField(null=True, blank=True)
    remains = models.BigIntegerField(null=True, blank=True)
    upstream_charge = MoneyField(null=True, blank=True)
    parts_done = models.PositiveIntegerField(
        null=True, blank=True, help_text="Runs or posts made so far."
    )
    upstream_ended_at = models.DateTimeField(
        null=True, blank=True, help_text="When the provider first said that it ended, while parts of it had not."
    )
    should_end_at = models.DateTimeField(
        null=True, blank=True, help_text="By its expiry, its last post, or an end that waits for its parts."
    )
    absent_since = models.DateTimeField(
        null=True, blank=True, help_text="Since then the provider's answers leave it out."
    )
    cost = MoneyField(null=True, blank=True, help_text="Booked, in the provider's currency.")
    exchange_rate = ExchangeRateField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ask_again_at = models.DateTimeField(
        null=True, blank=True, help_text="Ended orders are asked for again now and then."
    )
    asked_again = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(charge__gte=0), name="order_charge_not_negative"),
            models.CheckConstraint(
                condition=Q(refunded__gte=0) & Q(refunded__lte=F("charge")), name="order_refunds_at_most_its_charge"
            ),
            models.CheckConstraint(
                condition=Q(quantity__isnull=True) | Q(quantity__gt=0), name="order_quantity_positive"
            ),
            models.CheckConstraint(
                condition=Q(state="ended", status__in=["Completed", "Partial", "Canceled", "Expired"])
                | (~Q(state="ended") & Q(status__in=["Pending", "In progress", "Processing", "Active", "Paused"])),
                name="order_final_status_when_ended",
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(upstream_id__isnull=False), name="order_accepted_has_an_id"
            ),
            models.UniqueConstraint(
                fields=["provider", "upstream_id"],
                condition=Q(upstream_id__isnull=False),
                name="one_order_an_upstream_id",
            ),
            models.UniqueConstraint(
                fields=["parent", "run"], condition=Q(parent__isnull=False), name="one_order_a_run"
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True, run__isnull=True)
                | Q(parent__isnull=False, run__gte=1, charge=0, runs__isnull=True),
                name="a_run_has_no_charge_of_its_own",
            ),
            models.CheckConstraint(
                condition=Q(undelivered__gte=0) & (Q(undelivered=0) | Q(undelivered__lte=F("quantity"))),
                name="order_undelivered_at_most_its_quantity",
            ),
            models.UniqueConstraint(
                fields=["provider_service", "link_key"],
                condition=Q(one_at_a_time=True, state__in=[state.value for state in UNDER_WAY]),
                name="one_order_a_link_at_a_time",
            ),
        ]
        indexes = [
            # What customers and operators list are the orders that were sold; runs are found by their parent.
            models.Index(fields=["customer", "-id"], condition=Q(parent__isnull=True), name="order_of_customer"),
            models.Index(
                fields=["customer", "status", "-id"],
                condition=Q(parent__isnull=True),
                name="order_of_customer_status",
            ),
            models.Index(fields=["service", "-id"], condition=Q(parent__isnull=True), name="order_of_service"),
            # What a customer looks for in a long list: a service's, a link's, a day's.
            models.Index(
                fields=["customer", "service", "-id"],
                condition=Q(parent__isnull=True),
                name="order_of_customer_service",
            ),
            models.Index(
                fields=["customer", "link_key", "-id"],
                condition=Q(parent__isnull=True),
                name="order_of_customer_link",
            ),
            models.Index(
                fields=["customer", "created_at", "id"],
                condition=Q(parent__isnull=True),
                name="order_of_customer_day",
            ),
            # What a service takes: its last finished orders (orders.paces).
            models.Index(
                fields=["service", "-ended_at"],
                condition=Q(status="Completed", ended_at__isnull=False, parent__isnull=True, runs__isnull=True),
                name="order_finished_of_service",
            ),
            models.Index(fields=["next_run_at", "id"], condition=Q(state="series"), name="order_next_run"),
            models.Index(
                fields=["provider_service", "link_key", "id"], condition=Q(state="queued"), name="order_queued"
            ),
            models.Index(
                fields=["provider_service", "link_key", "id"], condition=Q(ended_at__isnull=True), name="order_of_link"
            ),
            models.Index(fields=["provider", "not_before", "id"], condition=Q(state="waiting"), name="order_waiting"),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="order_sending"),
            models.Index(fields=["provider", "id"], condition=Q(state="sending"), name="order_under_way"),
            models.Index(
                fields=["provider", "accepted_at", "id"], condition=Q(state="accepted"), name="order_with_provider"
            ),
            models.Index(
                fields=["should_end_at"],
                condition=Q(state="accepted", should_end_at__isnull=False),
                name="order_should_end",
            ),
            # One for each of these states: SQLite does not see that a condition on several covers a question of one.
            models.Index(fields=["provider", "id"], condition=Q(state="unknown"), name="order_unknown"),
            models.Index(fields=["id"], condition=Q(state="held"), name="order_held"),
            models.Index(fields=["id"], condition=Q(state="by_hand"), name="order_by_hand"),
            models.Index(fields=["id"], condition=Q(state="review"), name="order_in_review"),
            models.Index(
                fields=["provider", "ask_again_at", "id"],
                condition=Q(ask_again_at__isnull=False),
                name="order_ask_again",
            ),
        ]

    def __str__(self) -> str:
        return f"Order {self.pk}"


class Placement(models.Model):
    """A customer's token for one placing of orders: the same token again finds the same orders instead of new ones."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="placements", db_index=False)
    token = models.CharField(max_length=80)
    content = models.CharField(max_length=64, blank=True, help_text="A digest of what was asked for, where it counts.")
    order_ids = models.JSONField(default=list)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "token"], name="one_placement_a_token")]

    def __str__(self) -> str:
        return self.token


class MassOrder(models.Model):
    """A list of lines as its customer saw it priced, and how far it was placed. `version` is of what he saw: placing
    names it, and only one placing finds it. `next_line` is moved in the transaction that places.
    """

    class State(models.TextChoices):
        PREVIEW = "preview", "Looked at"
        PLACING = "placing", "Being placed"
        DONE = "done", "Placed"
        STOPPED = "stopped", "Stopped"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="mass_orders", db_index=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PREVIEW)
    version = models.PositiveIntegerField(default=0)
    whole = models.BooleanField(default=False, help_text="All lines or none, in one transaction.")
    text = models.TextField()
    lines = models.JSONField(default=list)
    next_line = models.PositiveIntegerField(default=0)
    results = models.JSONField(default=dict, help_text="By line number the order's id, or why it was not placed.")
    placed = models.PositiveIntegerField(default=0)
    charged = MoneyField(default=0)
    why = models.JSONField(null=True, blank=True, help_text="Why it stopped or is asked again (catalog.sentences).")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["customer", "-id"], name="mass_order_of_customer"),
            models.Index(fields=["id"], condition=Q(state="placing"), name="mass_order_placing"),
        ]

    def __str__(self) -> str:
        return f"Mass order {self.pk}"


class Attempt(models.Model):
    """One try to buy an order upstream: what was asked, what came, how it was read. Never holds a key."""

    class Outcome(models.TextChoices):
        SENDING = "sending", "Being sent"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"
        NOT_SENT = "not_sent", "Not sent"
        UNKNOWN = "unknown", "Unknown"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, db_index=False, related_name="+")
    provider_service = models.ForeignKey(ProviderService, on_delete=models.PROTECT, db_index=False, related_name="+")
    asked = models.JSONField(help_text="The fields of the request, without the key.")
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.SENDING)
    scope = models.CharField(max_length=10, blank=True, help_text="Of a refusal: provider, service or order.")
    reading = models.CharField(max_length=500, blank=True, help_text="How the answer was read.")
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True, help_text="What came, cut to a length.")
    upstream_id = models.CharField(max_length=64, blank=True)
    cost = MoneyField(null=True, blank=True, help_text="Of this attempt, if it was accepted; the provider's currency.")
    exchange_rate = ExchangeRateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "number"], name="one_attempt_a_number")]
        indexes = [
            models.Index(fields=["provider", "ended_at"], condition=Q(outcome="accepted"), name="attempt_accepted"),
            models.Index(fields=["provider", "began_at"], condition=Q(outcome="accepted"), name="attempt_began"),
            models.Index(fields=["provider", "began_at"], condition=Q(outcome="unknown"), name="attempt_unknown"),
        ]

    def __str__(self) -> str:
        return f"Order {self.order_id}, attempt {self.number}: {self.outcome}"


class OrderEvent(models.Model):
    """A line of an order's story: what changed, when, by whom, why."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=30)
    status = models.CharField(max_length=12, blank=True)
    actor = models.CharField(max_length=254, default="system")
    note = models.CharField(max_length=500, blank=True, help_text="For the operator.")

    class Meta:
        indexes = [models.Index(fields=["order", "id"], name="event_of_order")]

    def __str__(self) -> str:
        return f"Order {self.order_id}: {self.kind}"


class UpstreamPart(models.Model):
    """One of the orders that the provider makes by itself for a drip-feed or a subscription, as it was last read."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="upstream_parts", db_index=False)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="+", db_index=False)
    upstream_id = models.CharField(max_length=64)
    status = models.CharField(max_length=12, choices=Status.choices, blank=True, help_text="Empty: not read yet.")
    charge = MoneyField(null=True, blank=True, help_text="The provider's, in the currency it is booked in.")
    start_count = models.BigIntegerField(null=True, blank=True)
    remains = models.BigIntegerField(null=True, blank=True)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "upstream_id"], name="one_part_an_upstream_id"),
        ]
        indexes = [models.Index(fields=["order", "id"], name="part_of_order")]

    def __str__(self) -> str:
        return f"Part {self.upstream_id} of order {self.order_id}"


class RefillRequest(models.Model):
    """A customer's wish that the provider refills an order, and what became of it. `customer` is its order's: who
    has few wishes among millions finds them by it.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Pending"
        SENDING = "sending", "Being sent"
        UNKNOWN = "unknown", "Not known whether the provider took it"
        PENDING = "Pending", "Pending"
        IN_PROGRESS = "In progress", "In progress"
        COMPLETED = "Completed", "Completed"
        REJECTED = "Rejected", "Rejected"
        CANCELED = "Canceled", "Canceled"
        ERROR = "Error", "Error"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refills", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.WAITING)
    upstream_id = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(ended_at__isnull=True), name="one_open_refill_an_order"
            )
        ]
        indexes = [
            models.Index(fields=["order", "-id"], name="refill_of_order"),
            models.Index(fields=["customer", "-id"], name="refill_of_customer"),
            models.Index(fields=["status", "id"], condition=Q(ended_at__isnull=True), name="refill_open"),
        ]

    def __str__(self) -> str:
        return f"Refill {self.pk} of order {self.order_id}"


class CancelRequest(models.Model):
    """A wish to cancel an order that is already with its provider. Only the order's later status says whether it came
    true.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Not yet asked"
        ASKED = "asked", "Asked for"
        REFUSED = "refused", "Refused by the provider"
        DONE = "done", "Done"
        TOO_LATE = "too_late", "The order ended otherwise"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="cancels", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    reason = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(ended_at__isnull=True), name="one_open_cancel_an_order"
            )
        ]
        indexes = [
            models.Index(fields=["order", "-id"], name="cancel_of_order"),
            models.Index(fields=["customer", "-id"], name="cancel_of_customer"),
            models.Index(fields=["status", "not_before"], condition=Q(ended_at__isnull=True), name="cancel_open"),
            models.Index(fields=["asked_at"], condition=Q(ended_at__isnull=True), name="cancel_asked"),
        ]

    def __str__(self) -> str:
        return f"Cancel of order {self.order_id}"


class Pace(models.Model):
    """How long a service's last finished orders took on average; written by a job (orders.paces)."""

    service = models.OneToOneField(Service, primary_key=True, on_delete=models.CASCADE, related_name="pace")
    seconds = models.PositiveIntegerField(help_text="From placing to the end.")
    measured_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.service_id}: {self.seconds} s"
