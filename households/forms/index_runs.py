"""Which year to judge anew."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class RunForm(forms.Form):
    """The accounting year of a run; the years are those an index version is in force for."""

    year = forms.TypedChoiceField(label=gettext_lazy("年度"), coerce=int)

    def __init__(self, *args: Any, years: list[int], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["year"].choices = [(year, _("%(year)s 年度") % {"year": year}) for year in years]  # type: ignore[attr-defined]
