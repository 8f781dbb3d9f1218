"""Addresses of the panel: each face under its own prefix."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from portal.sign_in import operators_door
from smmpanel.health import live, ready
from smmpanel.metrics import metrics

urlpatterns = [
    path(f"{settings.ADMIN_PATH}login/", operators_door),  # before the admin's own: one door, with the second factor
    path(f"{settings.ADMIN_PATH}password_change/", RedirectView.as_view(pattern_name="portal:password")),  # as above
    path(settings.ADMIN_PATH, admin.site.urls),
    path("healthz", live, name="healthz"),
    path("healthz/live", live, name="healthz_live"),
    path("healthz/ready", ready, name="healthz_ready"),
    path("metrics", metrics, name="metrics"),
    path("", include("api.urls")),
    path("", include("portal.urls")),
]

handler400 = "portal.errors.unreadable"
handler403 = "portal.errors.forbidden"
handler404 = "portal.errors.not_found"
handler500 = "portal.errors.broken"
