"""The site map."""

from django.urls import include, path

from changde.web import health

urlpatterns = [
    path("", include("supervision.front_urls")),
    path("livez", health.live, name="livez"),
    path("readyz", health.ready, name="readyz"),
    path("api/v1/", include("households.api.urls")),
    path("api/v1/", include("supervision.api.urls")),
    path("api/", include("changde.api.urls")),  # last below /api/: it answers what nothing else does
    path("accounts/", include("changde.accounts.urls")),
    path("jobs/", include("changde.jobs.urls")),
    path("cadres/", include("cadres.urls")),
    path("", include("households.urls")),
    path("", include("changde.web.urls")),
    path("", include("supervision.urls")),
]
