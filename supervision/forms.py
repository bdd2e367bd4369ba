"""What people type about lists and objections: validate, convert, stop. The rules are the services'."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from supervision.domain.snapshot import Row
from supervision.models import Objection
from supervision.services.objections import CONTACT_LENGTH, TEXT_LENGTH


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("原因"), max_length=300, widget=forms.Textarea(attrs={"rows": 2, "maxlength": 300})
    )


class ObjectionForm(forms.Form):
    """`subject` is a number on the list, left_out, or list."""

    subject = forms.ChoiceField(label=_("您要说的是哪一户"))
    text = forms.CharField(
        label=_("您的意见"),
        help_text=_("请写清楚为什么。写得越具体，越容易核实。请不要写身份证号。"),
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    contact = forms.CharField(
        label=_("您的电话"),
        help_text=_("可以不写。写了，经办人可以向您了解情况；村里看不到，也不会公开。"),
        max_length=CONTACT_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=200)

    def __init__(self, *args: Any, rows: Sequence[Row], **options: Any) -> None:
        super().__init__(*args, **options)
        listed = [
            (
                str(row.position),
                _("第 %(number)s 号 %(head)s（%(group)s）不该列入")
                % {"number": row.position, "head": row.head, "group": row.group},
            )
            for row in rows
        ]
        self.fields["subject"].choices = [  # type: ignore[attr-defined]
            ("", _("请选择")),
            *listed,
            ("left_out", _("有一户应当列入，名单上却没有")),
            ("list", _("对整份名单的意见")),
        ]

    @property
    def about(self) -> str:
        subject = self.cleaned_data["subject"]
        return Objection.About.LISTED if subject.isdecimal() else subject

    @property
    def position(self) -> int | None:
        subject = self.cleaned_data["subject"]
        return int(subject) if subject.isdecimal() else None


class TrackForm(forms.Form):
    code = forms.CharField(
        label=_("查询码"),
        help_text=_("提交意见时给您的 12 位查询码，如 ABCD-EFGH-2345。大小写都可以。"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class VisitForm(forms.Form):
    on = forms.DateField(label=_("核实日期"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    note = forms.CharField(
        label=_("核实情况"),
        help_text=_("到哪里、问了谁、看到什么。不要写证件号码。"),
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["on"].initial = timezone.localdate


class DecisionForm(forms.Form):
    answer = forms.CharField(
        label=_("答复"),
        help_text=_("提意见的人凭查询码看到，村里也看到。不要写是谁提的意见。"),
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    decision = forms.ChoiceField(label=_("处理决定"), choices=Objection.Decision.choices)
