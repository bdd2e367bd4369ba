"""Filters of the card list. What is on stands in the address; a searched text stands there encrypted (views.search).

Everything asked of one sheet is one EXISTS, everything asked of one result another, so that the planner meets two
semi-joins however many filters are on. docs/finding.md names the index behind each.
"""

from datetime import date, datetime, time
from typing import Any

import django_filters
from django import forms
from django.core.validators import MinValueValidator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from changde.web.forms import FigureInput
from households.domain.fields import by_attribute
from households.domain.figures import RELATIVE_CUTOFF, RELATIVE_LINE
from households.models import Finding, Household, HouseholdStatus, ListedWithoutLabour, MemberSheet, Result, Sheet


def _choices(entity: str, attribute: str, *, without: frozenset[str] = frozenset()) -> list[tuple[str, Any]]:
    return [(value, _(value)) for value in by_attribute(entity, attribute).values if value not in without]


ATTRIBUTES = _choices("sheet", "attribute")
CAUSES = _choices("sheet", "main_cause")
EXIT_FLAGS = _choices("sheet", "exit_flag")
HEALTH = _choices("member_sheet", "health", without=frozenset({"健康"}))
# Relative by why: what the table of an area's figures leads to.
OUTCOMES = [
    *Result.Outcome.choices,
    (RELATIVE_LINE, _("相对贫困：低于监测线")),
    (RELATIVE_CUTOFF, _("相对贫困：仅因缺失达到临界值")),
]
NO_LABOUR = "none"
ABLE = ("普通劳动力", "技能劳动力", "弱劳动力或半劳动力")
LABOUR = [(NO_LABOUR, _("全家没有劳动力")), *_choices("member_sheet", "labour")]
FLAGS = [
    ("guarantee_gap", _("保障缺口")),
    ("excluded", _("触发排除条件")),
    ("verify", _("有疑点待核")),
    ("stale", _("结果待更新")),
]
ORDERS = [
    ("", _("按村和户主姓名")),
    ("changed", _("最近修改在前")),
    ("income", _("人均纯收入从低到高")),
    ("number", _("按村和户编号")),
]
# What a kept filter or an export may hold of an address.
KEYS = (
    "within", "group", "status", "outcome", "flag", "attribute", "cause", "exit_flag", "health", "labour",
    "income_min", "income_max", "changed_since", "entered_by", "order",
)  # fmt: skip


class CardFilterForm(forms.Form):
    def clean(self) -> dict[str, Any]:
        on = super().clean() or {}
        lowest, highest = on.get("income_min"), on.get("income_max")
        if lowest is not None and highest is not None and lowest > highest:
            self.add_error("income_max", _("上限低于下限，请改正"))
        return on


class CardFilter(django_filters.FilterSet):
    """`year` is the accounting year of sheets and results; `groups` are the groups one can choose (none: no choice).

    A value that cannot be read is told at its field and filters nothing.
    """

    group = django_filters.ChoiceFilter(label=_("村民小组"), empty_label=_("全部小组"), method="later")
    status = django_filters.ChoiceFilter(label=_("状态"), choices=HouseholdStatus, empty_label=_("全部状态"))
    outcome = django_filters.ChoiceFilter(
        label=_("识别结果"), choices=OUTCOMES, method="later", empty_label=_("全部结果")
    )
    flag = django_filters.ChoiceFilter(label=_("标记"), choices=FLAGS, method="later", empty_label=_("不限"))
    attribute = django_filters.ChoiceFilter(
        label=_("贫困户属性"), choices=ATTRIBUTES, method="later", empty_label=_("全部属性")
    )
    cause = django_filters.ChoiceFilter(
        label=_("主要致贫原因"), choices=CAUSES, method="later", empty_label=_("全部原因")
    )
    exit_flag = django_filters.ChoiceFilter(
        label=_("脱贫标志"), choices=EXIT_FLAGS, method="later", empty_label=_("不限")
    )
    health = django_filters.ChoiceFilter(
        label=_("有成员健康状况为"), choices=HEALTH, method="later", empty_label=_("不限")
    )
    labour = django_filters.ChoiceFilter(
        label=_("有成员劳动技能为"), choices=LABOUR, method="later", empty_label=_("不限")
    )
    income_min = django_filters.NumberFilter(label=_("人均纯收入不低于（元）"), method="later", widget=FigureInput)
    income_max = django_filters.NumberFilter(label=_("人均纯收入不高于（元）"), method="later", widget=FigureInput)
    changed_since = django_filters.DateFilter(
        label=_("此日以来修改过"),
        method="later",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(date(2010, 1, 1))],
    )
    entered_by = django_filters.CharFilter(label=_("录入人（姓名开头）"), method="later", max_length=60)

    class Meta:
        model = Household
        fields: list[str] = []
        form = CardFilterForm

    def __init__(self, *args: Any, year: int | None, groups: list[str] | None = None, **kwargs: Any) -> None:
        self.year = year or 0
        super().__init__(*args, **kwargs)
        if groups:
            self.filters["group"].extra["choices"] = [(group, group) for group in groups]
        else:
            del self.filters["group"]

    def later(self, cards: QuerySet[Household], name: str, value: Any) -> QuerySet[Household]:
        """Put together with the others in filter_queryset."""
        return cards

    def filter_queryset(self, queryset: QuerySet[Household]) -> QuerySet[Household]:
        on = {name: value for name, value in self.form.cleaned_data.items() if value not in (None, "")}
        found = super().filter_queryset(queryset)
        if "status" not in on:
            found = found.exclude(status=HouseholdStatus.CLOSED)
        if "group" in on:
            found = found.filter(group=on["group"])
        if "changed_since" in on:
            midnight = timezone.make_aware(datetime.combine(on["changed_since"], time()))
            found = found.filter(changed_at__gte=midnight)
        if on.get("flag") == "verify":
            found = found.filter(Exists(Finding.objects.open().filter(blocks=True, household=OuterRef("pk"))))
        for exists in (self._of_sheet(on), self._of_result(on), *self._of_members(on)):
            if exists is not None:
                found = found.filter(exists)
        return found

    def _of_sheet(self, on: dict[str, Any]) -> Exists | None:
        asked = {
            "attribute": "attribute",
            "cause": "main_cause",
            "exit_flag": "exit_flag",
            "income_min": "per_capita_income__gte",
            "income_max": "per_capita_income__lte",
            "entered_by": "entered_by__startswith",
        }
        facts = {lookup: on[name] for name, lookup in asked.items() if name in on}
        return Exists(Sheet.objects.filter(household=OuterRef("pk"), year=self.year, **facts)) if facts else None

    def _of_result(self, on: dict[str, Any]) -> Exists | None:
        said: dict[str, Any] = {"outcome": on["outcome"]} if "outcome" in on else {}
        if on.get("outcome") in (RELATIVE_LINE, RELATIVE_CUTOFF):
            below = on["outcome"] == RELATIVE_LINE
            said = {"outcome": Result.Outcome.RELATIVE, "below_monitoring_line": below}
        if on.get("flag") in ("guarantee_gap", "excluded", "stale"):
            said[on["flag"]] = True
        if not said:
            return None
        return Exists(Result.objects.filter(year=self.year, **said).current().filter(household=OuterRef("pk")))

    def _of_members(self, on: dict[str, Any]) -> list[Any]:
        members = MemberSheet.objects.filter(sheet__household=OuterRef("pk"), sheet__year=self.year)
        asked: list[Any] = []
        if "health" in on:
            asked.append(Exists(members.filter(health__contains=[on["health"]])))
        if on.get("labour") == NO_LABOUR and on.get("status") != HouseholdStatus.CLOSED:
            own = {name: OuterRef(name) for name in ("village_id", "head_pinyin")}
            listed = ListedWithoutLabour.objects.filter(year=self.year, household=OuterRef("pk"), **own)
            asked.append(Exists(listed))
        elif on.get("labour") == NO_LABOUR:
            # Closed cards are not listed. Without members on a sheet of the year it is unknown who can work.
            asked.append(Exists(members))
            asked.append(~Exists(members.filter(Q(labour__in=ABLE) | Q(labour=""))))
        elif "labour" in on:
            asked.append(Exists(members.filter(labour=on["labour"])))
        return asked
