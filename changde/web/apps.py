"""The web app: pages, frame, components."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from changde.web import navigation


class WebConfig(AppConfig):
    name = "changde.web"

    def ready(self) -> None:
        navigation.register("home", _("首页"), "home", "home", "work", order=0)
