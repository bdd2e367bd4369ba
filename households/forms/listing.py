"""Keeping a filter; ordering an export."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from households.columns import COLUMNS
from households.models import CardExport


class KeptFilterForm(forms.Form):
    name = forms.CharField(label=_("名称"), max_length=40)
    shared = forms.BooleanField(label=_("与本单位同事共用"), required=False)


class ExportForm(forms.Form):
    """Reason, format and columns of an export; `chosen` are the columns the person sees in the list."""

    reason = forms.CharField(
        label=_("用途"),
        max_length=200,
        help_text=_("例如：2019 年第三季度入户核查用表。会印在文件上并记入日志；不要写群众姓名和号码。"),
    )
    format = forms.ChoiceField(
        label=_("格式"), choices=CardExport.Format, widget=forms.RadioSelect, initial=CardExport.Format.XLSX
    )
    columns = forms.MultipleChoiceField(
        label=_("列"),
        help_text=_("行政村、户主和遮盖后的证件号码、电话总在文件里；全国统一格式总是全部列。"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, *args: Any, chosen: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        columns: Any = self.fields["columns"]
        columns.choices = [(column.name, column.label) for column in COLUMNS]
        columns.initial = chosen
