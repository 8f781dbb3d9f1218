"""Addresses of the panel: each face under its own prefix."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from smmpanel.health import answers

urlpatterns = [
    path(settings.ADMIN_PATH, admin.site.urls),
    path("healthz", answers, name="healthz"),
    path("", include("api.urls")),
    path("", include("portal.urls")),
]

handler400 = "portal.errors.unreadable"
handler403 = "portal.errors.forbidden"
handler404 = "portal.errors.not_found"
handler500 = "portal.errors.broken"
