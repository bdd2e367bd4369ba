"""The site map."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("changde.accounts.urls")),
    path("jobs/", include("changde.jobs.urls")),
    path("", include("changde.web.urls")),
]
