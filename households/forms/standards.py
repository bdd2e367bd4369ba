"""Forms of the yearly standard: a new draft, the settings and the rates of a draft."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.divisions.models import Division
from changde.web.forms import FigureInput
from households.domain.yearly_standard import HERDS, LAND
from households.domain.years import FIRST_YEAR, LAST_YEAR
from households.models import StandardRate, YearlyStandard
from households.models.yearly_standard import RATE_COLUMNS

MOST_RATES = 120
CITY_DEFAULT = "city"
PROPOSED_BY = {
    "irrigated_land": gettext_lazy("有效灌溉面积"),
    "dry_land": gettext_lazy("耕地中的旱地"),
    "orchard": gettext_lazy("林果面积"),
    "forest_land": gettext_lazy("林地面积"),
    "pasture": gettext_lazy("牧草地面积"),
    "water_surface": gettext_lazy("水面面积"),
    "pigs": gettext_lazy("生猪存栏"),
    "cattle": gettext_lazy("牛存栏"),
    "sheep": gettext_lazy("羊存栏"),
    "poultry": gettext_lazy("家禽存栏"),
}


class DraftForm(forms.Form):
    """For which county and year, and what it starts from."""

    place = forms.ChoiceField(label=gettext_lazy("适用"))
    year = forms.IntegerField(
        label=gettext_lazy("年度"),
        min_value=FIRST_YEAR,
        max_value=LAST_YEAR,
        widget=FigureInput({"inputmode": "numeric"}),
    )
    copied_from = forms.ChoiceField(label=gettext_lazy("从哪一份抄起"), required=False)

    def __init__(self, *args: Any, places: Sequence[Division | None], sources: Sequence[YearlyStandard], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._places = {str(place.code) if place else CITY_DEFAULT: place for place in places}
        self._sources = {str(source.pk): source for source in sources}
        named = [(key, place.name if place else _("全市默认")) for key, place in self._places.items()]
        copied = [(key, _named(source)) for key, source in self._sources.items()]
        for name, choices in (("place", named), ("copied_from", [*copied, ("", _("空白起草"))])):
            field = self.fields[name]
            self.fields[name] = forms.ChoiceField(label=field.label, choices=choices, required=field.required)

    @property
    def chosen(self) -> dict[str, Any]:
        """Division, year and source of a valid form."""
        given = self.cleaned_data
        return {
            "division": self._places[given["place"]],
            "year": given["year"],
            "copied_from": self._sources.get(given["copied_from"]),
        }


def _named(standard: YearlyStandard) -> str:
    facts = {"place": standard.place, "year": standard.year, "number": standard.number}
    return _("%(place)s %(year)s 年度第 %(number)s 版") % facts


class SettingsForm(forms.Form):
    """What holds for all rates; `revision` is the draft's that was opened."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    days_low = forms.IntegerField(label=gettext_lazy("每月最少出工"), min_value=1, max_value=31, widget=FigureInput)
    days_high = forms.IntegerField(label=gettext_lazy("每月最多出工"), min_value=1, max_value=31, widget=FigureInput)
    tolerance = forms.IntegerField(
        label=gettext_lazy("超出范围多少算相差较大"), min_value=0, max_value=100, widget=FigureInput
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        low, high = given.get("days_low"), given.get("days_high")
        if low and high and low > high:
            self.add_error("days_high", _("不能少于最少出工天数"))
        return given


def _figure(label: Any, places: int = 2, *, required: bool = False, least: Decimal | None = None) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, max_digits=10, decimal_places=places, min_value=least, required=required, widget=FigureInput
    )


_PENNY, _TENTH = Decimal("0.01"), Decimal("0.1")


class RateForm(forms.Form):
    """One item: gross and net value a mu, a head or a day, from low to high."""

    use_required_attribute = False
    kind = forms.ChoiceField(label=gettext_lazy("种类"), choices=StandardRate.Kind.choices)
    item = forms.CharField(label=gettext_lazy("项目"), max_length=60)
    yield_low = _figure(gettext_lazy("产量低（公斤）"), 1, least=_TENTH)
    yield_high = _figure(gettext_lazy("产量高（公斤）"), 1, least=_TENTH)
    low = _figure(gettext_lazy("产值低（元）"), required=True, least=_PENNY)
    high = _figure(gettext_lazy("产值高（元）"), required=True, least=_PENNY)
    net_low = _figure(gettext_lazy("净值低（元）"))
    net_high = _figure(gettext_lazy("净值高（元）"))
    proposed_by = forms.ChoiceField(
        label=gettext_lazy("由户卡哪一项建议"),
        required=False,
        choices=[("", gettext_lazy("不建议")), *((name, PROPOSED_BY[name]) for name in (*LAND, *HERDS))],
    )
    source = forms.CharField(label=gettext_lazy("依据"), max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label

    def has_changed(self) -> bool:
        """A row in which only a kind is chosen is no item."""
        return bool(set(self.changed_data) - {"kind", "proposed_by", "DELETE"}) or bool(self.initial.get("item"))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for low, high in (("low", "high"), ("yield_low", "yield_high"), ("net_low", "net_high")):
            self._check_pair(given, low, high)
        if given.get("net_high") is not None and given.get("high") and given["net_high"] > given["high"]:
            self.add_error("net_high", _("净值不能高于产值"))
        return given

    def _check_pair(self, given: dict[str, Any], low: str, high: str) -> None:
        if low in self.errors or high in self.errors:
            return
        first, last = given.get(low), given.get(high)
        if (first is None) != (last is None):
            self.add_error(high if last is None else low, _("高低两个数请成对填写"))
        elif first is not None and last is not None and first > last:
            self.add_error(high, _("不能低于左边的低值"))


class _RateFormSet(forms.BaseFormSet):
    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("移除")
        form.fields["DELETE"].widget.attrs["aria-label"] = _("移除这一项")

    def clean(self) -> None:
        seen = set()
        for form in self.present:
            key = (form.cleaned_data.get("kind"), form.cleaned_data.get("item"))
            if key in seen and key[1]:
                form.add_error("item", _("同一项目出现了两次"))
            seen.add(key)

    @property
    def present(self) -> list[RateForm]:
        """Rows that are items: filled in and not taken off."""
        return [
            form
            for form in self.forms
            if form.has_changed() and hasattr(form, "cleaned_data") and not form.cleaned_data.get("DELETE")
        ]

    def rates(self) -> list[dict[str, Any]]:
        """The rates of valid rows in the order of the page."""
        return [{name: form.cleaned_data[name] for name in RATE_COLUMNS} for form in self.present]


RateFormSet: Any = forms.formset_factory(
    RateForm, formset=_RateFormSet, extra=4, can_delete=True, max_num=MOST_RATES, absolute_max=MOST_RATES
)


def initial_rates(standard: YearlyStandard) -> list[dict[str, Any]]:
    """What the controls hold of a draft's rates; figures without idle zeros."""
    return [{name: _shown(getattr(rate, name)) for name in RATE_COLUMNS} for rate in standard.rates.all()]


def _shown(value: Any) -> Any:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value
