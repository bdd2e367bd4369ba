"""The pages that stand at the root of the site, without a namespace."""

from django.urls import path

from supervision.views import home

urlpatterns = [
    path("", home.home, name="home"),
]
