"""The form of a household's needs: a line a kind, how pressing it is and what it is about."""

import json
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from households.domain.needs import Need, Needs, need_kinds
from households.models import HouseholdNeed


class NeedsForm(forms.Form):
    """`base` carries what stood there when the form was opened."""

    use_required_attribute = False
    base = forms.JSONField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None, *, stored: Needs):
        base = {kind: [need.urgency, need.detail] for kind, need in stored.items()}
        initial: dict[str, Any] = {"base": base}
        for kind, need in stored.items():
            initial |= {kind: need.urgency, f"{kind}_detail": need.detail}
        super().__init__(data, initial=initial)
        for kind, name in need_kinds().items():
            choices = [*HouseholdNeed.Urgency.choices, ("", _("没有提出"))]
            self.fields[kind] = forms.ChoiceField(
                label=_(name), choices=choices, required=False, widget=forms.RadioSelect({"data-segment": ""})
            )
            self.fields[f"{kind}_detail"] = forms.CharField(label=_("说明"), max_length=200, required=False)

    @property
    def lines(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[kind], self[f"{kind}_detail"]) for kind in need_kinds()]

    def clean_base(self) -> Needs | None:
        try:
            return {
                kind: Need(str(urgency), str(detail)) for kind, (urgency, detail) in self.cleaned_data["base"].items()
            }
        except (AttributeError, TypeError, ValueError):
            return None

    def clean(self) -> dict[str, Any]:
        for kind in need_kinds():
            if self.cleaned_data.get(f"{kind}_detail") and not self.cleaned_data.get(kind) and kind not in self.errors:
                self.add_error(kind, _("写了说明的，请选紧急程度"))
        return self.cleaned_data

    def needs(self) -> Needs:
        return {
            kind: Need(self.cleaned_data[kind], self.cleaned_data[f"{kind}_detail"].strip())
            for kind in need_kinds()
            if self.cleaned_data.get(kind)
        }

    def show(self, kinds: Any, theirs: Needs) -> None:
        """Say at each clashing kind what stands there now, and go on from it."""
        data = dict(self.data.items())
        data["base"] = json.dumps({kind: [need.urgency, need.detail] for kind, need in theirs.items()})
        self.data = data
        for kind in kinds:
            need = theirs.get(kind)
            said = f"{HouseholdNeed.Urgency(need.urgency).label} {need.detail}".strip() if need else _("没有提出")
            self.add_error(kind, _("他人已改为：%(said)s；再次保存以您的为准") % {"said": said})
