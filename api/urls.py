"""The API's one address, with and without the slash that some clients add, and its documentation."""

from django.urls import path

from api import docs
from api.views import api_v2

urlpatterns = [
    path("api/v2", api_v2, name="api_v2"),
    path("api/v2/", api_v2),
    path("docs/api/", docs.docs, name="api_docs"),
    path("docs/api/try/", docs.attempt, name="api_try"),
    path("docs/api/openapi.json", docs.openapi, name="api_openapi"),
]
