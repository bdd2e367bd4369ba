from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CadresConfig(AppConfig):
    name = "cadres"
    verbose_name = _("干部")

    def ready(self) -> None:
        from changde.web import badges, navigation

        navigation.register("cadres", _("干部"), "cadres:list", "cadre", "read_cadres", order=50)
        navigation.register("needs", _("村需求"), "cadres:needs", "village", "read_needs", order=55)
        badges.register("plan", "proposal", _("待批准"), "info", "scroll")
        badges.register("plan", "approved", _("已批准"), "good", "check")
        badges.register("job_kind", "cadres.match", _("匹配干部"))
