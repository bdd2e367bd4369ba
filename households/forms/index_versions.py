"""Forms around an index version: a new draft, the day it takes effect, why it goes back."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.divisions.models import Division
from changde.web.forms import FigureInput
from households.domain.years import FIRST_YEAR, LAST_YEAR
from households.models import IndexVersion

CITY_DEFAULT = "city"


class DraftForm(forms.Form):
    """For which county and year, and which version it is copied from."""

    place = forms.ChoiceField(label=gettext_lazy("适用"))
    year = forms.IntegerField(
        label=gettext_lazy("年度"),
        min_value=FIRST_YEAR,
        max_value=LAST_YEAR,
        widget=FigureInput({"inputmode": "numeric"}),
    )
    copied_from = forms.ChoiceField(label=gettext_lazy("从哪一版抄起"))

    def __init__(self, *args: Any, places: Sequence[Division | None], sources: Sequence[IndexVersion], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._places = {str(place.code) if place else CITY_DEFAULT: place for place in places}
        self._sources = {str(source.pk): source for source in sources}
        named = [(key, place.name if place else _("全市默认")) for key, place in self._places.items()]
        copied = [(key, _named(source)) for key, source in self._sources.items()]
        for name, choices in (("place", named), ("copied_from", copied)):
            self.fields[name] = forms.ChoiceField(label=self.fields[name].label, choices=choices)
        if len(named) == 1:
            self.fields["place"].widget = forms.HiddenInput()
            self.initial.setdefault("place", named[0][0])

    @property
    def chosen(self) -> dict[str, Any]:
        """Division, year and source of a valid form."""
        given = self.cleaned_data
        return {
            "division": self._places[given["place"]],
            "year": given["year"],
            "copied_from": self._sources[given["copied_from"]],
        }


def _named(version: IndexVersion) -> str:
    facts = {"place": version.place, "year": version.year, "number": version.number}
    state = version.get_state_display() if version.state != IndexVersion.State.RELEASED else _("执行中")
    return _("%(place)s %(year)s 年度第 %(number)s 版") % facts + f" ({state})"


class ProposeForm(forms.Form):
    effective_from = forms.DateField(
        label=gettext_lazy("生效日期"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("默认今天。定在以后的，到那一天才替代现行版本。"),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["effective_from"].initial = today
        self.fields["effective_from"].widget.attrs["min"] = today.isoformat()


class SendBackForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("退回原因"), max_length=300, widget=forms.Textarea({"rows": 2, "maxlength": 300})
    )


class CancelForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("取消原因"), max_length=300, widget=forms.Textarea({"rows": 2, "maxlength": 300})
    )
