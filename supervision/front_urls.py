"""The pages that stand at the root of the site, without a namespace."""

from django.urls import path

from supervision.views.city import city, city_file
from supervision.views.home import home

urlpatterns = [
    path("", home, name="home"),
    path("city/", city, name="city"),
    path("city/<int:code>/", city, name="city"),
    path("city/<int:code>/figures.xlsx", city_file, name="city_file"),
]
