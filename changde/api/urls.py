from django.urls import path, re_path

from changde.api import schema, tokens, views  # noqa: F401 - schema registers how clients log in
from changde.api.divisions import DivisionViewSet

app_name = "api"
urlpatterns = [
    path("oauth/token/", tokens.token, name="token"),
    path("docs/", views.Docs.as_view(), name="docs"),
    path("docs/reference/", views.Reference.as_view(), name="reference"),
    path("v1/schema/", views.Schema.as_view(), name="schema"),
    path("v1/divisions/", DivisionViewSet.as_view({"get": "list"}), name="divisions"),
    path("v1/divisions/<int:code>/", DivisionViewSet.as_view({"get": "retrieve"}), name="division"),
    re_path(r"^.*$", views.Missing.as_view(), name="missing"),
]
