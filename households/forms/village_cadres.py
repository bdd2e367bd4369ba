"""Forms of the register of village cadres: numbers are never shown, an empty field keeps what is stored."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.divisions.models import Division
from households.domain import village_cadre as facts_of
from households.domain.village_cadre import CadreFacts, RelativeFacts
from households.domain.workbook import MEGABYTE
from households.models import CadreRelative, VillageCadre

LARGEST = 5 * MEGABYTE


class _Number(forms.CharField):
    """A personal number: cleaned to the form that is hashed; empty keeps what is stored."""

    def __init__(self, *, label: Any, clean_as: Any, wrong: Any) -> None:
        widget = forms.TextInput({"autocomplete": "off", "inputmode": "text", "spellcheck": "false"})
        super().__init__(label=label, required=False, max_length=60, widget=widget)
        self.clean_as, self.wrong = clean_as, wrong

    def clean(self, value: Any) -> str | None:
        text = super().clean(value)
        if not text:
            return None
        cleaned = self.clean_as(text)
        if cleaned is None:
            raise forms.ValidationError(str(self.wrong))
        return str(cleaned)


def _id(label: Any) -> _Number:
    return _Number(label=label, clean_as=facts_of.clean_number, wrong=gettext_lazy("证件号码不正确"))


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))


class VillageCadreForm(forms.Form):
    village = forms.ChoiceField(label=gettext_lazy("行政村"))
    name = forms.CharField(label=gettext_lazy("姓名"), max_length=60, widget=forms.TextInput({"autocomplete": "off"}))
    post = forms.ChoiceField(label=gettext_lazy("村内职务"))
    number = _id(gettext_lazy("证件号码"))
    phone = _Number(label=gettext_lazy("联系电话"), clean_as=facts_of.clean_phone, wrong=gettext_lazy("电话号码不正确"))
    account = _Number(
        label=gettext_lazy("银行账号"),
        clean_as=facts_of.clean_account,
        wrong=gettext_lazy("银行账号应为 8 至 30 位数字"),
    )
    valid_from = _day(gettext_lazy("任职起"))
    valid_to = _day(gettext_lazy("任职止"))

    def __init__(self, *args: Any, villages: Iterable[Division], cadre: VillageCadre | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.villages = {str(one.code): one for one in villages}
        places = [(code, f"{one.parent.name} {one.name}") for code, one in self.villages.items()]  # type: ignore[union-attr]
        self.fields["village"].choices = [("", _("请选择")), *places]  # type: ignore[attr-defined]
        self.fields["post"].choices = [("", _("请选择")), *VillageCadre.Post.choices]  # type: ignore[attr-defined]
        self.fields["valid_to"].help_text = _("离任的填最后一天，不要移除：任职期间的核查仍要用")
        if cadre is not None:
            for name in ("name", "post", "valid_from", "valid_to"):
                self.initial[name] = getattr(cadre, name)
            self.initial["village"] = str(cadre.village_id)
            for name in ("number", "phone", "account"):
                masked = getattr(cadre, f"masked_{name}")
                if masked:
                    self.fields[name].help_text = _("已登记 %(masked)s；留空不改") % {"masked": masked}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        first, last = given.get("valid_from"), given.get("valid_to")
        if first and last and last < first:
            self.add_error("valid_to", _("不能早于任职起"))
        return given

    @property
    def place(self) -> Division:
        return self.villages[self.cleaned_data["village"]]

    @property
    def facts(self) -> CadreFacts:
        given = {name: value for name, value in self.cleaned_data.items() if name != "village"}
        return CadreFacts(**given)


class RelativeForm(forms.Form):
    """One relative in a row of the table; a row without a name is none, and a name that is emptied goes."""

    use_required_attribute = False
    stored = forms.IntegerField(required=False, widget=forms.HiddenInput)
    relation = forms.ChoiceField(
        label=gettext_lazy("与干部关系"),
        required=False,
        choices=[("", gettext_lazy("请选择")), *((each, gettext_lazy(each)) for each in CadreRelative.RELATIONS)],
    )
    name = forms.CharField(label=gettext_lazy("姓名"), required=False, max_length=60)
    number = _id(gettext_lazy("证件号码"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label
        if self.initial.get("masked"):
            self.fields["number"].widget.attrs["placeholder"] = self.initial["masked"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("name") and not given.get("relation"):
            self.add_error("relation", _("请选择关系"))
        if given.get("number") and not given.get("name"):
            self.add_error("name", _("请填写姓名"))
        return given


RelativeFormSet = forms.formset_factory(RelativeForm, extra=3, max_num=60)


def initial_relatives(cadre: VillageCadre) -> list[dict[str, Any]]:
    return [
        {"stored": row.pk, "relation": row.relation, "name": row.name, "masked": row.masked_number}
        for row in cadre.relatives.order_by("pk")
    ]


def relatives_of(formset: Any, cadre: VillageCadre | None) -> list[RelativeFacts]:
    """Rows with a name; `stored` counts only where it is this cadre's own."""
    own = set(cadre.relatives.values_list("pk", flat=True)) if cadre else set()
    rows = [form.cleaned_data for form in formset if form.cleaned_data.get("name")]
    return [
        RelativeFacts(row["relation"], row["name"], row["number"], row["stored"] if row["stored"] in own else None)
        for row in rows
    ]


class CadreImportForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("村干部登记表"),
        help_text=gettext_lazy("按模板填写的 .xlsx；一名干部有几个亲属就写几行"),
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(_("文件太大，请分开上传"))
        return file
