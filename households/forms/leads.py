"""Forms of the leads desk: what is shown, a visit, a decision, a hand-over, a file, a time."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from households.models import Finding
from households.selectors.leads import GROUPS, WHOSE
from households.services.findings import WORDS_LENGTH

GROUP_NAMES = {
    "outcome": gettext_lazy("识别结果"),
    "registers": gettext_lazy("部门比对"),
    "favor": gettext_lazy("优亲厚友与失实"),
}
WHOSE_NAMES = {
    "office": gettext_lazy("本办公室办理"),
    "area": gettext_lazy("本地区全部"),
    "mine": gettext_lazy("我走访或办结的"),
}
_NO_NUMBERS = gettext_lazy("不写证件号码、账号")


def _words(label: Any, *, required: bool = True, help_text: Any = _NO_NUMBERS, rows: int = 2) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=WORDS_LENGTH,
        help_text=help_text,
        widget=forms.Textarea({"rows": rows, "maxlength": WORDS_LENGTH}),
    )


def _day(label: Any, *, required: bool = True) -> forms.DateField:
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, widget=widget)


class LeadFilterForm(forms.Form):
    """Which leads the desk shows. Nothing of it is required, and a value nobody knows counts as none."""

    kind = forms.ChoiceField(label=gettext_lazy("类型"), required=False)
    whose = forms.ChoiceField(label=gettext_lazy("范围"), required=False)
    find = forms.CharField(
        label=gettext_lazy("户主或户编号"),
        required=False,
        max_length=60,
        widget=forms.TextInput({"placeholder": gettext_lazy("户主姓名或户编号"), "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, hidden_kinds: Iterable[str] = (), works: bool = True, **options: Any) -> None:
        super().__init__(*args, **options)
        hidden = set(hidden_kinds)
        groups: list[Any] = [("", _("全部类型"))]
        for group, kinds in GROUPS.items():
            shown = [(str(kind), Finding.Kind(kind).label) for kind in kinds if kind not in hidden]
            everything = (group, _("全部：%(group)s") % {"group": GROUP_NAMES[group]})
            groups.append((GROUP_NAMES[group], [everything, *shown]))
        self.fields["kind"].choices = groups  # type: ignore[attr-defined]
        self.fields["whose"].choices = [  # type: ignore[attr-defined]
            (whose, WHOSE_NAMES[whose]) for whose in WHOSE if works or whose == "area"
        ]


class VisitForm(forms.Form):
    on = _day(gettext_lazy("走访日期"))
    note = _words(gettext_lazy("走访情况"), help_text=gettext_lazy("到哪里、问了谁、看到什么；不写证件号码、账号"))
    answer = _words(gettext_lazy("农户的说法"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["on"].initial = timezone.localdate


class DecisionForm(forms.Form):
    """After a visit the reason alone; without one also why none is needed."""

    reason = _words(gettext_lazy("结论的依据"))
    no_visit_reason = _words(gettext_lazy("不需走访的理由"), help_text=gettext_lazy("没有走访记录时必填"))
    decision = forms.ChoiceField(choices=[("confirmed", ""), ("dismissed", "")])

    def __init__(self, *args: Any, visited: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["no_visit_reason"].error_messages["required"] = _("先记下走访情况，或写明为什么不需走访")
        if visited:
            del self.fields["no_visit_reason"]


class HandOverForm(forms.Form):
    hand_reason = _words(gettext_lazy("转办原因"))


class LeadExportForm(forms.Form):
    reason = _words(gettext_lazy("导出用途"), help_text=gettext_lazy("写进日志和文件；文件含户主姓名，请妥善保管"))


class PeriodForm(forms.Form):
    """From and to, both inclusive; empty is open."""

    since = _day(gettext_lazy("发现日期从"), required=False)
    until = _day(gettext_lazy("到"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("不能早于起始日期"))
        return cleaned
