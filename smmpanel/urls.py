"""Addresses of the panel: each face under its own prefix."""

from django.conf import settings
from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from smmpanel.health import answers

urlpatterns = [
    path(settings.ADMIN_PATH, admin.site.urls),
    path("", RedirectView.as_view(url="/admin/")),
    path("healthz", answers, name="healthz"),
]
