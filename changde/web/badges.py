"""Badges: the one table of what a value is called, how grave it is and which icon says so without colour.

The platform's own kinds stand here; an app adds its kinds in AppConfig.ready with `register`. A value that is not
in the table is shown as it is, neutral: a missing entry must never hide a fact.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TONES = frozenset({"neutral", "danger", "warning", "good", "info", "accent", "line"})


@dataclass(frozen=True)
class Badge:
    """What a value looks like: label for people, tone (see TONES), icon of changde.web.icons."""

    label: str | Promise
    tone: str = "neutral"
    icon: str = ""


def _table(**values: tuple[str | Promise, str, str]) -> dict[str, Badge]:
    return {value: Badge(*look) for value, look in values.items()}


_KINDS: dict[str, dict[str, Badge]] = {
    "outcome": _table(
        absolute=(_("绝对贫困"), "danger", "alert"),
        relative=(_("相对贫困"), "warning", "down"),
        not_poor=(_("不贫困"), "good", "check"),
        undetermined=(_("待补充"), "neutral", "question"),
    ),
    "status": _table(
        unregistered=(_("未建档"), "line", "minus"),
        proposed=(_("拟识别"), "info", "clock"),
        registered=(_("建档立卡"), "accent", "card"),
        exited=(_("已脱贫"), "good", "check"),
        monitored=(_("监测对象"), "warning", "eye"),
        returned=(_("返贫"), "danger", "undo"),
        closed=(_("已销户"), "neutral", "cross"),
    ),
    "flag": _table(
        guarantee_gap=(_("保障缺口"), "warning", "house"),
        excluded=(_("触发排除条件"), "danger", "stop"),
        verify=(_("有疑点待核"), "warning", "flag"),
        stale=(_("结果待更新"), "neutral", "clock"),
    ),
    "job": _table(
        waiting=(_("排队中"), "neutral", "clock"),
        running=(_("进行中"), "info", "jobs"),
        done=(_("已完成"), "good", "check"),
        failed=(_("失败"), "danger", "stop"),
        parked=(_("已搁置"), "danger", "stop"),
        silent=(_("没有响应"), "warning", "alert"),
        cancelled=(_("已取消"), "neutral", "cross"),
        final=(_("年度最终"), "accent", "flag"),
    ),
    "check": _table(
        red=(_("必须改正"), "danger", "stop"),
        yellow=(_("请核实"), "warning", "alert"),
        wait=(_("等待查重"), "info", "clock"),
    ),
    "step": _table(
        todo=(_("未开始"), "line", "minus"),
        current=(_("进行中"), "info", "clock"),
        done=(_("已办结"), "good", "check"),
        late=(_("已超期"), "danger", "alert"),
        returned=(_("已退回"), "warning", "undo"),
    ),
}


def register(kind: str, value: str, label: str | Promise, tone: str = "neutral", icon: str = "") -> None:
    """Name one value of a kind; a second call for the same value replaces the first."""
    if tone not in TONES:
        raise ValueError(f"unknown tone {tone!r}")
    _KINDS.setdefault(kind, {})[value] = Badge(label, tone, icon)


def badge_for(kind: str, value: object) -> Badge:
    """The badge of a value, or a neutral one that shows the value itself."""
    return _KINDS.get(kind, {}).get(str(value), Badge(str(value)))


def kinds() -> dict[str, dict[str, Badge]]:
    """Every kind with its values, for the gallery."""
    return {kind: dict(values) for kind, values in _KINDS.items()}
