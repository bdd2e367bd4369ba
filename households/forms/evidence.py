"""Adding an evidence photo, taking one off."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from households.domain.years import FIRST_YEAR, LAST_YEAR
from households.models import Evidence


class EvidenceForm(forms.Form):
    """One photo; what is in the file is looked at by the service."""

    kind = forms.ChoiceField(label=_("照片内容"), error_messages={"required": _("请选择照片拍的是什么")})
    caption = forms.CharField(
        label=_("说明"),
        max_length=200,
        required=False,
        help_text=_("例如“堂屋后墙裂缝”；不要写证件号码。"),
    )
    photo = forms.FileField(
        label=_("照片"),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}),
        error_messages={"required": _("请拍摄或选择一张照片")},
    )
    year = forms.IntegerField(min_value=FIRST_YEAR, max_value=LAST_YEAR, widget=forms.HiddenInput)
    client_key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    # Milliseconds since 1970, as the phone's file says: scaling in the browser drops the camera's own words.
    taken = forms.IntegerField(min_value=0, max_value=4_102_444_800_000, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", _("请选择")), *Evidence.Kind.choices]  # type: ignore[attr-defined]

    @property
    def script_texts(self) -> dict[str, str]:
        """What static/js/evidence.js says of each photo."""
        return {
            "waiting": gettext("等待上传"),
            "scaling": gettext("正在缩小"),
            "sending": gettext("正在上传 %(share)s"),
            "received": gettext("已收到"),
            "unsent": gettext("没有送达，照片还在本页"),
            "login": gettext("登录已过期，照片还在本页；请在另一页登录后重试"),
            "failed": gettext("系统出错，照片还在本页"),
            "again": gettext("重试"),
        }

    def clean_taken(self) -> datetime | None:
        taken = self.cleaned_data["taken"]
        return datetime.fromtimestamp(taken / 1000, tz=UTC) if taken else None


class RemoveForm(forms.Form):
    reason = forms.CharField(
        label=_("移除原因"), max_length=200, help_text=_("照片不会删除，写明原因后不再作为佐证，可以恢复。")
    )
