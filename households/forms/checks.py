"""Setting one check: its switch, its figures, and why."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.web.forms import FigureInput
from households.domain.checks import YELLOW, Description
from households.domain.checks.figures import Figure

UNITS = {
    "岁": gettext_lazy("岁"),
    "元": gettext_lazy("元"),
    "元/月": gettext_lazy("元/月"),
    "元/人": gettext_lazy("元/人"),
    "m²": "m²",
    "km": "km",
    "亩": gettext_lazy("亩"),
    "人": gettext_lazy("人"),
    "倍": gettext_lazy("倍"),
    "个月": gettext_lazy("个月"),
}
FIGURE_LABELS = {
    "oldest": gettext_lazy("年龄超过"),
    "child_least": gettext_lazy("子女至少小"),
    "child_most": gettext_lazy("子女至多小"),
    "parent_least": gettext_lazy("父母至少大"),
    "grandchild_least": gettext_lazy("孙辈至少小"),
    "marriage_men": gettext_lazy("婚龄（男）"),
    "marriage_women": gettext_lazy("婚龄（女）"),
    "spouse_gap": gettext_lazy("夫妻相差"),
    "wage_least": gettext_lazy("月工资低于"),
    "wage_most": gettext_lazy("月工资高于"),
    "poor_income": gettext_lazy("人均不到"),
    "house_least": gettext_lazy("住房小于"),
    "house_most": gettext_lazy("住房大于"),
    "field_area": gettext_lazy("耕地、牧草地、水面超过"),
    "forest_area": gettext_lazy("林地、退耕还林、林果超过"),
    "road_km": gettext_lazy("距主干路超过"),
    "members": gettext_lazy("成员超过"),
    "sum_tolerance": gettext_lazy("容许相差"),
    "per_capita_tolerance": gettext_lazy("人均容许相差"),
    "jump_factor": gettext_lazy("增减倍数"),
    "risk_months": gettext_lazy("至少满"),
    "old_months": gettext_lazy("没有走访或更新满"),
}


class CheckForm(forms.Form):
    """The switch (yellow checks only), a control for each figure (empty: as above), and the reason."""

    reason = forms.CharField(
        label=gettext_lazy("依据"),
        max_length=300,
        help_text=gettext_lazy("例：县扶贫办〔2019〕12 号，2019-05-20"),
        error_messages={"required": gettext_lazy("请写明依据，例如文件名和日期")},
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, *args: Any, description: Description, figures: tuple[Figure, ...], above: dict[str, Decimal], **more: Any
    ):
        super().__init__(*args, **more)
        self.figures = figures
        for figure in figures:
            lower = figure.tightens == "lower"
            facts = {"value": plain(above[figure.name]), "unit": UNITS[figure.unit]}
            note = _("不填即用上一级的 %(value)s %(unit)s") % facts
            if description.severity != YELLOW:
                note += "；" + (_("只能改小") if lower else _("只能改大"))
            self.fields[figure.name] = forms.DecimalField(
                label=FIGURE_LABELS[figure.name], required=False, widget=FigureInput(), help_text=note
            )
            self.fields[figure.name].unit = UNITS[figure.unit]  # type: ignore[attr-defined]
        if description.severity == YELLOW:
            self.fields["is_on"] = forms.BooleanField(label=_("启用这项检查"), required=False)
        self.order_fields(["is_on", *(figure.name for figure in figures), "reason"])

    def figure_values(self) -> dict[str, Decimal]:
        """The figures that were filled in."""
        given = {figure.name: self.cleaned_data.get(figure.name) for figure in self.figures}
        return {name: value for name, value in given.items() if value is not None}


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
