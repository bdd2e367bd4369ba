"""Bringing a register's table, and saying which department brings which."""

import re
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.accounts.models import User
from changde.divisions.models import Division
from households.domain.registers import REGISTERS, glance
from households.domain.workbook import MEGABYTE, ReadLimits, WorkbookRefused
from households.messages import workbook_message
from households.models import RegisterKind
from households.selectors.registers import places_of
from households.services.registers import kinds_for

LARGEST = 64 * MEGABYTE
_LONG_FIGURE = re.compile(r"\d{7}")


class RegisterForm(forms.Form):
    """One table of a register. The file is glanced at in a child process: a wrong one is refused at its field."""

    kind = forms.ChoiceField(label=gettext_lazy("登记种类"))
    source = forms.CharField(
        label=gettext_lazy("来源单位"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("掌握这份登记的单位；不填就用通常的单位，如车辆登记为车管所。"),
    )
    as_of = forms.DateField(
        label=gettext_lazy("数据日期"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("这份数据说的是哪一天的情况；同一单位、同一地区以日期最新的一版比对。"),
    )
    division = forms.ModelChoiceField(
        label=gettext_lazy("覆盖地区"),
        queryset=Division.objects.none(),
        empty_label=None,
        help_text=gettext_lazy("只与这个地区的户卡比对。"),
    )
    file = forms.FileField(
        label=gettext_lazy("数据文件"),
        help_text=gettext_lazy(
            ".xlsx 或 CSV，一人（一物）一行，须有证件号码；表头在前20行内、列的顺序不限，常见的别名都能识别。"
        ),
        widget=forms.FileInput({"accept": ".xlsx,.csv,.txt,.zip"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = kinds_for(user)
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            choice for choice in RegisterKind.choices if choice[0] in allowed
        ]
        places = places_of(user)
        self.fields["division"].queryset = places  # type: ignore[attr-defined]
        self.fields["division"].initial = places.first()

    def clean_source(self) -> str:
        source: str = self.cleaned_data["source"]
        if _LONG_FIGURE.search(source):
            raise forms.ValidationError(_("来源单位是单位名称，不能有长号码"), code="figures")
        return source

    def clean_as_of(self) -> Any:
        if self.cleaned_data["as_of"] > timezone.localdate():
            raise forms.ValidationError(_("数据日期不能晚于今天"), code="day_ahead")
        return self.cleaned_data["as_of"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind, file = cleaned.get("kind"), cleaned.get("file")
        if kind:
            cleaned["source"] = cleaned.get("source") or REGISTERS[kind][1]
        if kind and file is not None:
            self._look_at(kind, file)
        return cleaned

    def _look_at(self, kind: str, file: UploadedFile) -> None:
        if (file.size or 0) > LARGEST:
            said = _("文件超过 %(size)s；请分县上传，或由系统管理员用命令导入") % {"size": filesizeformat(LARGEST)}
            self.add_error("file", forms.ValidationError(said, code="size"))
            return
        try:
            glance(file.file, kind, ReadLimits(file=LARGEST, seconds=10))  # type: ignore[arg-type]
        except WorkbookRefused as refused:
            self.add_error("file", forms.ValidationError(workbook_message(refused), code=refused.code))
        file.seek(0)


class KeeperForm(forms.Form):
    """The registers one department's person brings."""

    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("报送的登记"),
        required=False,
        choices=RegisterKind.choices,
        widget=forms.CheckboxSelectMultiple,
    )
