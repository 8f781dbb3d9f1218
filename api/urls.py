"""The API's one address, with and without the slash that some clients add."""

from django.urls import path

from api.views import api_v2

urlpatterns = [path("api/v2", api_v2, name="api_v2"), path("api/v2/", api_v2)]
