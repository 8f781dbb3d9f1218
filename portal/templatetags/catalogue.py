"""What templates ask about a service beyond its columns."""

from __future__ import annotations

from django import template

from portal.order_form import is_by_post, is_held, is_package

register = template.Library()
register.filter("is_package", is_package)
register.filter("is_held", is_held)
register.filter("is_by_post", is_by_post)
