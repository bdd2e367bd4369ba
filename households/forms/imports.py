"""Bringing a workbook of cards: one file, or the two CSV files of households and members."""

import zipfile
from io import BytesIO
from typing import IO, Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.accounts.models import User
from changde.accounts.roles import Role
from households.domain.card_update import Policy
from households.domain.card_workbook import glance_at_cards
from households.domain.workbook import MEGABYTE, ReadLimits, WorkbookRefused
from households.messages import workbook_message

LARGEST = 64 * MEGABYTE
MOST_FILES = 2
_MAY_LOAD_FIRST = {Role.COUNTY_OFFICE, Role.CITY_OFFICE}
_POLICIES = (
    (Policy.UPDATE, gettext_lazy("以工作簿为准：表内填了的内容改写系统，空白单元格不清除任何内容")),
    (Policy.KEEP, gettext_lazy("以系统为准：只补系统里空白的内容，不改写、不增减成员")),
    (Policy.REJECT, gettext_lazy("只收新户：系统里已有的户全部退回")),
)


class _Files(forms.FileInput):
    allow_multiple_selected = True


class _FilesField(forms.FileField):
    """One or two uploaded files."""

    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data if isinstance(data, (list, tuple)) else [data]
        cleaned = [super(_FilesField, self).clean(file, initial) for file in files or [None]]
        if len(cleaned) > MOST_FILES:
            raise forms.ValidationError(_("一次最多上传两个文件（户信息、人信息各一个 CSV）"), code="files")
        return cleaned


class ImportForm(forms.Form):
    """The file, glanced at in a child process; the first load is offered to county and city offices alone.

    After validation `contents` is what the glance told, and `file_name` names the upload.
    """

    file = _FilesField(
        label=gettext_lazy("户卡工作簿"),
        help_text=gettext_lazy(
            "含“户信息”“人信息”两张表的 .xlsx；或户信息、人信息各一个 CSV（可一起选中，或打成 zip）；"
            "或一人一行的单个 CSV。表头在前20行内、列的顺序不限；编码（UTF-8、GBK）和分隔符会自动识别。"
        ),
        widget=_Files(attrs={"accept": ".xlsx,.csv,.txt,.zip", "multiple": True}),
    )
    policy = forms.TypedChoiceField(
        label=gettext_lazy("系统中已有的户怎样处理"),
        choices=_POLICIES,
        coerce=Policy,
        initial=Policy.UPDATE,
        widget=forms.RadioSelect,
    )
    initial_load = forms.BooleanField(
        label=gettext_lazy("首次建库：按表内的贫困户属性和脱贫标志设定各户状态"),
        help_text=gettext_lazy("只在系统第一次装入数据时勾选；平时表内与系统不一致只作为疑点列出。"),
        required=False,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.contents: dict[str, Any] = {}
        self.file_name = ""
        if not user.roles & _MAY_LOAD_FIRST:
            del self.fields["initial_load"]

    def clean_file(self) -> IO[bytes]:
        files: list[UploadedFile] = self.cleaned_data["file"]
        if sum(file.size or 0 for file in files) > LARGEST:
            raise forms.ValidationError(
                _("文件超过 %(size)s；请按乡镇或村拆分后再上传") % {"size": filesizeformat(LARGEST)}, code="size"
            )
        self.file_name = "、".join((file.name or "").rsplit("/")[-1] for file in files)
        file: IO[bytes] = _packed(files) if len(files) > 1 else files[0].file  # type: ignore[assignment]
        try:
            self.contents = glance_at_cards(file, ReadLimits(file=LARGEST, seconds=10))  # type: ignore[arg-type]
        except WorkbookRefused as refused:
            raise forms.ValidationError(workbook_message(refused), code=refused.code) from refused
        file.seek(0)
        return file


def _packed(files: list[UploadedFile]) -> IO[bytes]:
    """Two files as one: a zip, which is kept and read as if it had been uploaded."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, file in enumerate(files):
            name = (file.name or "").rsplit("/")[-1].rsplit("\\")[-1]
            archive.writestr(f"{number + 1}_{name}", file.read())
    packed.seek(0)
    return packed
