"""What templates ask about a service beyond its columns."""

from __future__ import annotations

from collections.abc import Callable

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from catalog.models import Service, Update
from portal.order_form import has_drip_feed, is_by_post, is_held, is_package

register = template.Library()
register.filter("is_package", is_package)
register.filter("is_held", is_held)
register.filter("is_by_post", is_by_post)
register.filter("has_drip_feed", has_drip_feed)


@register.filter
def is_marked(service: Service) -> bool:
    """Whether it has any of the marks that are shown beside a name."""
    return service.refill or service.cancel or is_by_post(service) or has_drip_feed(service)


#: What happened to a service: its word, and the tone of its dot.
CHANGES: dict[Update.Kind, tuple[Callable[[], str], str]] = {
    Update.Kind.NEW: (lambda: _("New"), "status-good"),
    Update.Kind.BACK: (lambda: _("On sale again"), "status-good"),
    Update.Kind.GONE: (lambda: _("Gone"), "status-bad"),
    Update.Kind.UP: (lambda: _("Dearer"), "status-part"),
    Update.Kind.DOWN: (lambda: _("Cheaper"), "status-active"),
}


@register.filter
def change(update: Update) -> SafeString:
    """What happened to a service, as a dot, a word and a colour."""
    word, tone = CHANGES[Update.Kind(update.kind)]
    return format_html('<span class="status {}">{}</span>', tone, word())
