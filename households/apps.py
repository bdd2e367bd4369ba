from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HouseholdsConfig(AppConfig):
    name = "households"
    verbose_name = _("户卡")

    def ready(self) -> None:
        from changde.web import navigation

        navigation.register("cards", _("户卡"), "households:list", "card", "read_cards", order=20)
