"""The web app: pages, frame, components."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "changde.web"
