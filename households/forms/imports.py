"""Bringing a workbook of cards."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.accounts.models import User
from changde.accounts.roles import Role
from households.domain.card_workbook import glance_at_cards
from households.domain.workbook import MEGABYTE, ReadLimits, WorkbookRefused
from households.messages import workbook_message

LARGEST = 64 * MEGABYTE
_MAY_LOAD_FIRST = {Role.COUNTY_OFFICE, Role.CITY_OFFICE}


class ImportForm(forms.Form):
    """The file, glanced at in a child process; the first load is offered to county and city offices alone."""

    file = forms.FileField(
        label=gettext_lazy("户卡工作簿"),
        help_text=gettext_lazy("含“户信息”“人信息”两张表的 .xlsx；列的顺序不限，表头在前20行内即可。"),
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
    )
    initial_load = forms.BooleanField(
        label=gettext_lazy("首次建库：按表内的贫困户属性和脱贫标志设定各户状态"),
        help_text=gettext_lazy("只在系统第一次装入数据时勾选；平时表内与系统不一致只作为疑点列出。"),
        required=False,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not user.roles & _MAY_LOAD_FIRST:
            del self.fields["initial_load"]

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError(
                _("文件超过 %(size)s；请按乡镇或村拆分后再上传") % {"size": filesizeformat(LARGEST)}, code="size"
            )
        try:
            glance_at_cards(file.file, ReadLimits(file=LARGEST, seconds=10))  # type: ignore[arg-type]
        except WorkbookRefused as refused:
            raise forms.ValidationError(workbook_message(refused), code=refused.code) from refused
        file.seek(0)
        return file
