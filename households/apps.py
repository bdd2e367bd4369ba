from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HouseholdsConfig(AppConfig):
    name = "households"
    verbose_name = _("户卡")

    def ready(self) -> None:
        from changde.web import badges, navigation

        navigation.register("cards", _("户卡"), "households:list", "card", "read_cards", order=20)
        navigation.register("imports", _("导入"), "households:imports", "import", "import_cards", order=60)
        navigation.register("moves", _("户卡迁移"), "households:moves", "map", "read_cards", order=65)
        navigation.register("duplicates", _("查重台"), "households:duplicates", "match", "decide_duplicates", order=62)
        badges.register("job_kind", "find_duplicates", _("查找重复人员"))
        for state, label, tone, icon in (
            ("number", _("证件号码相同"), "danger", "stop"),
            ("name_birth", _("姓名和出生日期相同"), "warning", "people"),
            ("near_name", _("同村、同电话、姓名相近"), "info", "question"),
        ):
            badges.register("duplicate", state, label, tone, icon)
        badges.register("job_kind", "check_cards", _("检查户卡工作簿"))
        badges.register("job_kind", "import_cards", _("户卡入库"))
        for state, label, tone, icon in (
            ("asked", _("待接收"), "info", "clock"),
            ("accepted", _("已接收"), "good", "check"),
            ("refused", _("未接收"), "warning", "undo"),
            ("withdrawn", _("已撤回"), "neutral", "cross"),
        ):
            badges.register("move", state, label, tone, icon)
        for state, label, tone, icon in (
            ("waiting", _("正在检查"), "info", "clock"),
            ("checked", _("待确认入库"), "warning", "question"),
            ("running", _("正在入库"), "info", "jobs"),
            ("done", _("已入库"), "good", "check"),
            ("failed", _("未能读取"), "danger", "stop"),
            ("cancelled", _("已取消"), "neutral", "cross"),
        ):
            badges.register("import", state, label, tone, icon)
