"""What a page may load (Content-Security-Policy): our own files and nothing else.

The admin is the exception. Its theme (unfold) runs the standard build of Alpine, which compiles the expressions in
its attributes (`unsafe-eval`), and its pages carry style elements and attributes (`unsafe-inline`, for styles alone).
Those two are allowed under the admin's address and nowhere else; a customer never sees that policy.
"""

from __future__ import annotations

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

PANEL: dict[str, list[str]] = {
    "default-src": [SELF],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
ADMIN: dict[str, list[str]] = PANEL | {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}


class ContentPolicy(CSPMiddleware):
    """django-csp, with the admin's policy under the admin's address."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.replace is None and request.path_info.startswith(f"/{settings.ADMIN_PATH}"):
            parts.replace = ADMIN
        return parts
