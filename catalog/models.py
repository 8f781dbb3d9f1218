"""What is sold: categories, services, where each is bought, and how its price is made."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from catalog.patterns import BadPattern, check_pattern, matches
from catalog.searching import folded
from ledger.fields import MoneyField
from providers.models import Provider


class Searchable(models.Model):
    """Keeps the folded name that searches look at; bulk writes, which bypass `save`, must set it themselves."""

    search = models.TextField(editable=False, default="", help_text="The name as it is searched (catalog.searching).")

    class Meta:
        abstract = True

    name: str

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search = folded(self.name)
        fields = kwargs.get("update_fields")
        if fields is not None and "name" in fields:
            kwargs["update_fields"] = {*fields, "search"}
        super().save(*args, **kwargs)


class Category(Searchable):
    """A shelf of services, as customers see it."""

    name = models.CharField(max_length=300, unique=True)
    position = models.PositiveIntegerField(default=0)
    platform = models.CharField(
        max_length=40,
        blank=True,
        help_text="What customers choose by first, such as Instagram. Empty: as it is recognised in the name.",
    )
    link_pattern = models.CharField(
        max_length=200, blank=True, help_text="A regular expression that must be found in a link. Empty: any link."
    )
    link_example = models.CharField(
        max_length=200, blank=True, help_text="A link that matches, shown to customers whose link does not."
    )

    class Meta:
        verbose_name_plural = "categories"
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if not self.link_pattern:
            return
        try:
            check_pattern(self.link_pattern, "")
        except BadPattern as bad:
            raise ValidationError({"link_pattern": str(bad)}) from bad
        if not self.link_example:
            raise ValidationError({"link_example": "Give a link that matches: customers learn by it what fits."})
        if not matches(self.link_pattern, self.link_example):
            unlike = "The pattern does not match this link. Customers are shown it as one that does."
            raise ValidationError({"link_example": unlike})


class ProviderService(models.Model):
    """A provider's service as it was last listed: the snapshot that imports are compared with."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="services")
    external_id = models.CharField(max_length=64)
    name = models.CharField(max_length=500)
    category = models.CharField(max_length=300, blank=True)
    shelf = models.CharField(
        max_length=300, blank=True, editable=False, help_text="The category after the text rules, as last applied."
    )
    type = models.CharField(max_length=60, help_text="As the provider spells it.")
    rate = MoneyField(help_text="In the provider's currency, per 1000 (or per package).")
    min = models.BigIntegerField()
    max = models.BigIntegerField()
    refill = models.BooleanField(default=False)
    cancel = models.BooleanField(default=False)
    dripfeed = models.BooleanField(default=False)
    description = models.TextField(blank=True)
    seen_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "external_id"], name="one_snapshot_a_provider_service"),
            models.CheckConstraint(condition=Q(rate__gte=0), name="provider_rate_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.external_id} {self.name}"


class SameLink(models.TextChoices):
    """What is done with a second order for a link that has one under way."""

    ALLOW = "allow", "Send it all the same"
    WARN = "warn", "Send it, and warn the customer before"
    QUEUE = "queue", "Send it when the first has ended"


class Service(Searchable):
    """Something a customer can order. Sold only when `visible` and not `off_sale_reason`."""

    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="services")
    name = models.CharField(max_length=500)
    description = models.TextField(blank=True)
    type = models.CharField(max_length=40, help_text="What an order of it asks for; an unknown type cannot be ordered.")
    rate = MoneyField(help_text="What a customer pays per 1000 (or per package), in the panel's currency.")
    rate_by_hand = models.BooleanField(default=False, help_text="The price was set by hand; markup leaves it alone.")
    name_by_hand = models.BooleanField(default=False)
    description_by_hand = models.BooleanField(default=False)
    category_by_hand = models.BooleanField(default=False)
    min = models.BigIntegerField(default=1)
    max = models.BigIntegerField(default=1)
    limits_by_hand = models.BooleanField(default=False)
    step = models.PositiveIntegerField(default=1)
    refill = models.BooleanField(default=False)
    refill_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: for as long as the provider takes it."
    )
    refill_by_hand = models.BooleanField(default=False)
    cancel = models.BooleanField(default=False)
    dripfeed = models.BooleanField(
        default=False,
        help_text="Customers may order it in runs. Where its provider has no drip-feed, the panel runs it.",
    )
    dripfeed_by_hand = models.BooleanField(default=False)
    same_link = models.CharField(
        max_length=5,
        choices=SameLink.choices,
        default=SameLink.ALLOW,
        help_text="What happens to a second order for a link that has one under way at the same provider's service.",
    )
    open_posts = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="A subscription without a number of posts is sold with so many. Empty: the number is asked for.",
    )
    visible = models.BooleanField(default=False)
    off_sale_cause = models.CharField(max_length=20, blank=True, editable=False, help_text="catalog.protection.Cause")
    off_sale_reason = models.CharField(max_length=300, blank=True)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(rate__gte=0), name="service_rate_not_negative"),
            models.CheckConstraint(condition=Q(min__gte=1) & Q(max__gte=F("min")), name="service_limits_in_order"),
            models.CheckConstraint(condition=Q(step__gte=1), name="service_step_positive"),
        ]
        indexes = [models.Index(fields=["category", "position", "id"], name="service_on_shelf")]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}"


class Route(models.Model):
    """One place a service can be bought; the lowest position is tried first. Without routes it is fulfilled by hand."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="routes")
    provider_service = models.ForeignKey(ProviderService, on_delete=models.PROTECT, related_name="routes")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["service", "provider_service"], name="one_route_to_a_provider_service"),
            models.UniqueConstraint(fields=["service", "position"], name="one_route_a_position"),
        ]

    def __str__(self) -> str:
        return f"{self.service_id} → {self.provider_service_id}"


class Revision(models.Model):
    """One row for each statement that changed services or categories, written by triggers (catalog.revisions)."""

    def __str__(self) -> str:
        return str(self.pk)


class MarkupRule(models.Model):
    """How a price is made from a cost: cost × (1 + percent ÷ 100) + fixed, rounded up to `rounding`, at least `floor`.

    The most specific rule wins: service, provider and category, category, provider, the one with none of them.
    """

    provider = models.ForeignKey(Provider, null=True, blank=True, on_delete=models.CASCADE, related_name="markup_rules")
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.CASCADE, related_name="markup_rules")
    service = models.OneToOneField(Service, null=True, blank=True, on_delete=models.CASCADE, related_name="markup_rule")
    percent = MoneyField(default=Decimal(0), help_text="25 means that a cost of 1.00 sells for 1.25.")
    fixed = MoneyField(default=Decimal(0), help_text="Added per 1000, in the panel's currency.")
    rounding = MoneyField(default=Decimal("0.000001"), help_text="Prices are rounded up to a multiple of this.")
    floor = MoneyField(default=Decimal(0), help_text="No price below this, per 1000.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(rounding__gt=0), name="markup_rounding_positive"),
            models.CheckConstraint(condition=Q(percent__gte=Decimal(-100)), name="markup_percent_sane"),
            models.CheckConstraint(
                condition=Q(service__isnull=True) | Q(provider__isnull=True, category__isnull=True),
                name="markup_of_a_service_is_for_it_alone",
            ),
            models.UniqueConstraint(  # NULLs are all different to a plain index: two rules "for all" would fit
                Coalesce("provider", 0),
                Coalesce("category", 0),
                condition=Q(service__isnull=True),
                name="one_markup_a_place",
                violation_error_message="There is a rule for this already.",
            ),
        ]

    def __str__(self) -> str:
        return f"+{self.percent.normalize():f} %"


class TextRule(models.Model):
    """Find and replace in a provider's names, categories and descriptions: takes its own name and links out."""

    provider = models.ForeignKey(Provider, null=True, blank=True, on_delete=models.CASCADE, related_name="text_rules")
    find = models.CharField(max_length=200)
    replace = models.CharField(max_length=200, blank=True)
    is_pattern = models.BooleanField(default=False, help_text="A regular expression.")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.find} → {self.replace}"

    def clean(self) -> None:
        if self.is_pattern:
            try:
                check_pattern(self.find, self.replace)
            except BadPattern as bad:
                raise ValidationError({"find": str(bad)}) from bad


class PriceChange(models.Model):
    """A price before and after, and why."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="price_changes")
    before = MoneyField(null=True)
    after = MoneyField()
    reason = models.CharField(max_length=300)
    by = models.CharField(max_length=254)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["service", "-id"], name="price_change_latest")]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class Update(models.Model):
    """A change of what is on sale, as customers are told of it; written by triggers (catalog.updates)."""

    class Kind(models.TextChoices):
        NEW = "new", "New"
        BACK = "back", "Back on sale"
        GONE = "gone", "No longer on sale"
        UP = "up", "Price raised"
        DOWN = "down", "Price lowered"

    kind = models.CharField(max_length=4, choices=Kind.choices)
    service = models.ForeignKey(
        Service, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    name = models.CharField(max_length=500)
    category = models.CharField(max_length=300, blank=True)
    type = models.CharField(max_length=40)
    rate_before = MoneyField(null=True, help_text="The rate until then; of what came back the last one it had.")
    rate_after = MoneyField(null=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        indexes = [
            models.Index(fields=["kind", "-id"], name="update_of_kind"),
            models.Index(fields=["service", "-id"], name="update_of_service"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.service_id}"
