"""What templates ask about a service beyond its columns."""

from __future__ import annotations

from django import template

from catalog.models import Service
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
