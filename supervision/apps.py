from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SupervisionConfig(AppConfig):
    name = "supervision"
    verbose_name = _("公示与监督")

    def ready(self) -> None:
        from changde.web import navigation
        from households.objection_periods import register_source
        from households.services.undo import register_obstacle
        from supervision.selectors.imports import on_lists_since
        from supervision.selectors.lists import objection_periods
        from supervision.views.look import register_look

        navigation.register("city", _("全域"), "city", "map", "read_figures", order=30)
        register_look()
        register_obstacle("listed", _("导入之后已列入公示名单"), on_lists_since)
        register_source(objection_periods)
