"""Where and on which year's cards a version is tried."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.divisions.models import Division


class TrialForm(forms.Form):
    """The area and the accounting year of the cards; both are choices."""

    place = forms.TypedChoiceField(label=gettext_lazy("在哪里试算"), coerce=int)
    year = forms.TypedChoiceField(label=gettext_lazy("用哪一年的户卡"), coerce=int)

    def __init__(self, *args: Any, places: Sequence[Division], years: Sequence[int], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._places = {place.code: place for place in places}
        self.fields["place"].choices = [(place.code, place.name) for place in places]  # type: ignore[attr-defined]
        self.fields["year"].choices = [(year, _("%(year)s 年度") % {"year": year}) for year in years]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> dict[str, Any]:
        """Division and year of a valid form."""
        return {"division": self._places[self.cleaned_data["place"]], "year": self.cleaned_data["year"]}
