"""The form of a household's needs: a line a kind, how pressing it is and what it is about."""

import json
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from households.domain.needs import Need, Needs, NeedsChange, need_kinds
from households.forms.registry import StillField
from households.models import HouseholdNeed
from households.services.needs import NeedsClash

STILL = "still_needs"


class NeedsForm(forms.Form):
    """`base` carries what stood there when the form was opened.

    With `last`, the needs of the year before, the form begins with those and asks whether they are still true; what is
    neither confirmed nor changed counts as not named.
    """

    use_required_attribute = False
    base = forms.JSONField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None, *, stored: Needs, last: Needs | None = None, prefix: str | None = None):
        self.last = last or {}
        shown = self.last or stored
        initial: dict[str, Any] = {"base": {kind: [need.urgency, need.detail] for kind, need in stored.items()}}
        for kind, need in shown.items():
            initial |= {kind: need.urgency, f"{kind}_detail": need.detail}
        super().__init__(data, initial=initial, prefix=prefix)
        if self.last:
            self.fields[STILL] = StillField(_("诉求"))
        choices = [("", _("没有提出")), *HouseholdNeed.Urgency.choices]
        for kind, name in need_kinds().items():
            optional = {"data-optional": "", "data-attribute": f"need_{kind}"}
            self.fields[kind] = forms.ChoiceField(
                label=_(name), choices=choices, required=False, widget=forms.Select(optional)
            )
            written = optional | {"data-attribute": f"need_{kind}_detail", "autocomplete": "off"}
            self.fields[f"{kind}_detail"] = forms.CharField(
                label=_("说明"),
                max_length=200,
                required=False,
                widget=forms.TextInput(written | {"placeholder": _("说明")}),
            )

    @property
    def still(self) -> forms.BoundField | None:
        return self[STILL] if STILL in self.fields else None

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

    @property
    def unconfirmed(self) -> bool:
        """Whether something of the year before was neither confirmed nor changed; for valid forms."""
        return bool(self._untouched())

    @property
    def change(self) -> NeedsChange:
        untouched = self._untouched()
        named = {kind: need for kind, need in self._named().items() if kind not in untouched}
        return NeedsChange(named, self.cleaned_data["base"])

    @property
    def is_missing(self) -> bool:
        """Whether what was sent knows nothing of needs: then they are left as they stand."""
        return self.cleaned_data["base"] is None and not self._named()

    def _named(self) -> dict[str, Need]:
        return {
            kind: Need(self.cleaned_data[kind], self.cleaned_data[f"{kind}_detail"].strip())
            for kind in need_kinds()
            if self.cleaned_data.get(kind)
        }

    def _untouched(self) -> set[str]:
        if self.cleaned_data.get(STILL):
            return set()
        return {kind for kind, need in self._named().items() if self.last.get(kind) == need}

    def show(self, clash: NeedsClash) -> None:
        """Go on from what stands there now: take over what they changed alone, say at each clashing kind what it is."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        base = {kind: [need.urgency, need.detail] for kind, need in clash.theirs.items()}
        data[self.add_prefix("base")] = json.dumps(base)
        for kind in need_kinds():
            if kind not in clash.kinds:
                stands = clash.merged.get(kind, Need(""))
                data[self.add_prefix(kind)] = stands.urgency
                data[self.add_prefix(f"{kind}_detail")] = stands.detail
        self.data = data
        for kind in clash.kinds:
            need = clash.theirs.get(kind)
            said = f"{HouseholdNeed.Urgency(need.urgency).label} {need.detail}".strip() if need else _("没有提出")
            self.add_error(kind, _("他人已改为：%(said)s；再次保存以您的为准") % {"said": said})
