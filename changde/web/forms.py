"""How forms look: label above, help under, the error at its field, all of it tied together for screen readers.

`{{ form }}` writes summary and fields, `{{ form.name.as_field_group }}` one field, `{% field form.name %}` one field
with options. Everything goes through `Renderer`, so that no form and no template repeats a class.
"""

from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates, TemplatesSetting
from django.template import TemplateDoesNotExist

_WIDGETS = "django/forms/widgets/"
_CLASSES = {"select": "form-select", "checkbox": "form-check-input", "radio": "form-check-input", "hidden": ""}


class FigureInput(forms.TextInput):
    """A figure as text: a number control of a browser empties what it cannot read, and the person loses the typing."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "autocomplete": "off", "class": "form-control money"} | (attrs or {}))


class Renderer(TemplatesSetting):
    """Project templates first, Django's own widget templates behind them; adds Bootstrap's class to each control."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"

    def __init__(self) -> None:
        self.fallback = DjangoTemplates()

    def get_template(self, template_name: str) -> Any:
        try:
            return super().get_template(template_name)
        except TemplateDoesNotExist:
            return self.fallback.get_template(template_name)

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        if template_name.startswith(_WIDGETS) and "widget" in context:
            _dress(context["widget"])
        return super().render(template_name, context, request)


def _dress(widget: dict[str, Any]) -> None:
    name = widget["template_name"].removeprefix(_WIDGETS).removesuffix(".html")
    for part in widget.get("subwidgets", []):
        _dress(part)
    wanted = _CLASSES.get(widget.get("type") or name, _CLASSES.get(name, "form-control"))
    given = widget["attrs"].get("class", "")
    if wanted and wanted not in given.split():
        widget["attrs"] = widget["attrs"] | {"class": f"{wanted} {given}".strip()}
