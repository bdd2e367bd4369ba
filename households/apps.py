from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HouseholdsConfig(AppConfig):
    name = "households"
    verbose_name = _("户卡")

    def ready(self) -> None:
        from changde.web import badges, navigation

        navigation.register("cards", _("户卡"), "households:list", "card", "read_cards", order=20)
        navigation.register("imports", _("导入"), "households:imports", "import", "import_cards", order=60)
        badges.register("job_kind", "check_cards", _("检查户卡工作簿"))
        badges.register("job_kind", "import_cards", _("户卡入库"))
        badges.register("job_kind", "undo_cards", _("撤销导入"))
        for state, label, tone, icon in (
            ("waiting", _("正在检查"), "info", "clock"),
            ("checked", _("待确认入库"), "warning", "question"),
            ("running", _("正在入库"), "info", "jobs"),
            ("done", _("已入库"), "good", "check"),
            ("failed", _("未能读取"), "danger", "stop"),
            ("cancelled", _("已取消"), "neutral", "cross"),
            ("undoing", _("正在撤销"), "info", "clock"),
            ("undone", _("已撤销"), "neutral", "undo"),
        ):
            badges.register("import", state, label, tone, icon)
        for kind, label, tone, icon in (
            ("refused", _("退回"), "danger", "stop"),
            ("waiting", _("待核实"), "warning", "clock"),
            ("duplicate", _("可能重复"), "warning", "question"),
            ("changed", _("有变化"), "info", "edit"),
            ("new", _("新增"), "good", "plus"),
            ("same", _("无变化"), "neutral", "check"),
            ("excluded", _("不入库"), "neutral", "minus"),
        ):
            badges.register("staged", kind, label, tone, icon)
