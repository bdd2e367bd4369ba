from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HouseholdsConfig(AppConfig):
    name = "households"
    verbose_name = _("户卡")

    def ready(self) -> None:
        _offer_pages()
        _name_jobs()
        _show_states()


def _offer_pages() -> None:
    """The entries of the rail, in the order of a day's work."""
    from changde.web import navigation

    navigation.register("cards", _("户卡"), "households:list", "card", "read_cards", order=20)
    navigation.register("findings", _("疑点审核"), "households:findings", "flag", "review_findings", order=25)
    navigation.register("leads", _("线索核查"), "households:leads", "eye", "read_leads", order=26)
    cadres = ("village_cadres", _("村干部登记"), "households:village_cadres", "cadre", "manage_village_cadres")
    navigation.register(*cadres, order=72)
    navigation.register("runs", _("识别测算"), "households:runs", "chart", "recompute", order=46)
    navigation.register("index", _("识别标准"), "households:index_versions", "scroll", "read_index", order=47)
    navigation.register("imports", _("导入"), "households:imports", "import", "import_cards", order=48)
    navigation.register("registers", _("部门数据"), "households:registers", "link", "bring_registers", order=49)
    navigation.register("duplicates", _("查重台"), "households:duplicates", "match", "decide_duplicates", order=62)
    navigation.register("exports", _("导出"), "households:exports", "export", "export_cards", order=65)
    navigation.register("moves", _("户卡迁移"), "households:moves", "map", "read_cards", order=65)
    navigation.register("fairness", _("录入与村组比较"), "households:fairness", "chart", "read_fairness", order=73)
    navigation.register("standards", _("年度标准"), "households:standards", "scale", "read_standards", order=70)
    navigation.register("checks", _("数据检查"), "households:checks", "gear", "manage_checks", order=75)


def _name_jobs() -> None:
    """What background work is called."""
    from changde.web import badges

    badges.register("job_kind", "export_cards", _("导出户卡"))
    badges.register("job_kind", "find_duplicates", _("查找重复人员"))
    badges.register("job_kind", "detect_leads", _("查找线索"))
    badges.register("job_kind", "detect_leads_of_county", _("查找线索"))
    badges.register("job_kind", "check_cards", _("检查户卡工作簿"))
    badges.register("job_kind", "import_cards", _("户卡入库"))
    badges.register("job_kind", "recompute_index", _("识别测算"))
    badges.register("job_kind", "try_index", _("试算指标体系"))
    badges.register("job_kind", "try_index_township", _("试算指标体系"))
    badges.register("job_kind", "recompute_stale", _("更新有变化的结果"))
    badges.register("job_kind", "check_stored_cards", _("检查全部户卡"))
    badges.register("job_kind", "check_township", _("检查全部户卡"))
    badges.register("job_kind", "print_cards", _("打印全村户卡"))
    badges.register("job_kind", "undo_cards", _("撤销导入"))
    badges.register("job_kind", "find_status_leads", _("按识别结果查找线索"))
    badges.register("job_kind", "check_register", _("检查部门数据"))
    badges.register("job_kind", "compare_registers", _("比对部门数据"))


def _show_states() -> None:
    """What the states of this app's records look like."""
    from changde.web import badges

    for state, label, tone, icon in (
        ("waiting", _("排队中"), "neutral", "clock"),
        ("running", _("正在生成"), "info", "jobs"),
        ("done", _("可下载"), "good", "check"),
        ("failed", _("没有生成"), "danger", "stop"),
        ("cancelled", _("已取消"), "neutral", "cross"),
        ("expired", _("已过期删除"), "neutral", "clock"),
    ):
        badges.register("export", state, label, tone, icon)
    for state, label, tone, icon in (
        ("number", _("证件号码相同"), "danger", "stop"),
        ("name_birth", _("姓名和出生日期相同"), "warning", "people"),
        ("near_name", _("同村、同电话、姓名相近"), "info", "question"),
    ):
        badges.register("duplicate", state, label, tone, icon)
    badges.register("check", "red", _("红色：拒收"), "danger", "stop")
    badges.register("check", "yellow", _("黄色：需说明"), "warning", "question")
    badges.register("check", "wait", _("等待查重"), "info", "clock")
    for state, label, tone, icon in (
        ("waiting", _("待审核"), "warning", "question"),
        ("red", _("须更正"), "danger", "stop"),
        ("returned", _("已退回"), "danger", "undo"),
        ("accepted", _("已认可"), "good", "check"),
        ("corrected", _("已更正"), "neutral", "check"),
    ):
        badges.register("note", state, label, tone, icon)
    for state, label, tone, icon in (
        ("open", _("待走访"), "warning", "question"),
        ("late", _("已超期"), "danger", "clock"),
        ("visited", _("已走访，待结论"), "info", "eye"),
        ("confirmed", _("属实"), "danger", "flag"),
        ("dismissed", _("不属实"), "good", "check"),
        ("corrected", _("已自行消除"), "neutral", "check"),
    ):
        badges.register("lead", state, label, tone, icon)
    badges.register("lead_priority", "first", _("先办"), "danger", "up")
    badges.register("lead_priority", "soon", _("尽快"), "warning", "flag")
    badges.register("lead_priority", "later", _("依次"), "neutral", "minus")
    badges.register("distance", "within", _("与标准相符"), "good", "check")
    badges.register("distance", "low", _("略低于标准"), "warning", "down")
    badges.register("distance", "high", _("略高于标准"), "warning", "up")
    badges.register("distance", "far", _("与标准相差较大，请核实"), "danger", "flag")
    badges.register("index_version", "draft", _("草稿"), "neutral", "edit")
    badges.register("index_version", "tried", _("已试算"), "info", "chart")
    badges.register("index_version", "released", _("执行中"), "good", "check")
    badges.register("index_version", "superseded", _("已被替代"), "neutral", "undo")
    badges.register("standard", "draft", _("草稿"), "neutral", "edit")
    badges.register("standard", "proposed", _("待发布"), "warning", "clock")
    badges.register("standard", "released", _("执行中"), "good", "check")
    badges.register("standard", "superseded", _("已被替代"), "neutral", "undo")
    for state, label, tone, icon in (
        ("draft", _("草稿"), "neutral", "edit"),
        ("tried", _("已试算"), "info", "chart"),
        ("proposed", _("待发布"), "warning", "clock"),
        ("scheduled", _("待生效"), "info", "calendar"),
        ("released", _("执行中"), "good", "check"),
        ("superseded", _("已被替代"), "neutral", "undo"),
        ("cancelled", _("已取消"), "neutral", "stop"),
        ("discarded", _("已作废"), "neutral", "cross"),
    ):
        badges.register("index", state, label, tone, icon)
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
        ("undoing", _("正在撤销"), "info", "clock"),
        ("undone", _("已撤销"), "neutral", "undo"),
    ):
        badges.register("import", state, label, tone, icon)
    for state, label, tone, icon in (
        ("waiting", _("正在检查"), "info", "clock"),
        ("checked", _("待确认启用"), "warning", "question"),
        ("running", _("正在比对"), "info", "jobs"),
        ("done", _("已启用"), "good", "check"),
        ("replaced", _("已被新版替代"), "neutral", "undo"),
        ("failed", _("未能读取"), "danger", "stop"),
        ("cancelled", _("已取消"), "neutral", "cross"),
        ("withdrawn", _("已撤回"), "neutral", "undo"),
    ):
        badges.register("register", state, label, tone, icon)
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
