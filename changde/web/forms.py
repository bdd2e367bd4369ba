"""How forms look: label above, help under, the error at its field, all of it tied together for screen readers.

`{{ form }}` writes summary and fields, `{{ form.name.as_field_group }}` one field, `{% field form.name %}` one field
with options. Everything goes through `Renderer`, so that no form and no template repeats a class.
"""

from collections.abc import Callable
from html import escape
from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates, TemplatesSetting
from django.template import TemplateDoesNotExist
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe

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
            if write := _WRITTEN.get(template_name.removeprefix(_WIDGETS)):
                return write(context["widget"])
        return super().render(template_name, context, request)


def _dress(widget: dict[str, Any]) -> None:
    name = widget["template_name"].removeprefix(_WIDGETS).removesuffix(".html")
    for part in widget.get("subwidgets", []):
        _dress(part)
    wanted = _CLASSES.get(widget.get("type") or name, _CLASSES.get(name, "form-control"))
    given = widget["attrs"].get("class", "")
    if wanted and wanted not in given.split():
        widget["attrs"] = widget["attrs"] | {"class": f"{wanted} {given}".strip()}


# -- controls written without a template: a card's form has hundreds of them, and an include for each option is half its
# time. They say what Django's own templates say, but for the white space between options.


def _text(value: Any) -> str:
    """As conditional_escape, without its care for what stays lazy."""
    if isinstance(value, Promise):
        value = str(value)
    return str(value.__html__()) if hasattr(value, "__html__") else escape(str(value))


def _attrs(attrs: dict[str, Any]) -> str:
    found = ((name, value) for name, value in attrs.items() if value is not False)
    return "".join(f" {name}" if value is True else f' {name}="{escape(str(value))}"' for name, value in found)


def _input(widget: dict[str, Any]) -> SafeString:
    value = "" if widget["value"] is None else f' value="{escape(str(widget["value"]))}"'
    return mark_safe(f'<input type="{widget["type"]}" name="{escape(widget["name"])}"{value}{_attrs(widget["attrs"])}>')


def _textarea(widget: dict[str, Any]) -> SafeString:
    text = _text(widget["value"] or "")
    return mark_safe(f'<textarea name="{escape(widget["name"])}"{_attrs(widget["attrs"])}>\n{text}</textarea>')


def _select(widget: dict[str, Any]) -> SafeString:
    parts = [f'<select name="{escape(widget["name"])}"{_attrs(widget["attrs"])}>']
    for group, options, _index in widget["optgroups"]:
        inside = "".join(map(_option, options))
        parts.append(f'<optgroup label="{_text(group)}">{inside}</optgroup>' if group else inside)
    return mark_safe("".join([*parts, "</select>"]))


def _choices(widget: dict[str, Any]) -> SafeString:
    """Radio buttons or boxes, each inside its label."""
    found = (option for _group, options, _index in widget["optgroups"] for option in options)
    parts = []
    for option in found:
        attrs = {name: value for name, value in option["attrs"].items() if name != "class"} | {
            "class": "form-check-input"
        }
        parts.append(f"<label>{_input(option | {'attrs': attrs})}{_text(option['label'])}</label>")
    return mark_safe("".join(parts))


def _option(widget: dict[str, Any]) -> str:
    label = _text(widget["label"])
    return f'<option value="{escape(str(widget["value"]))}"{_attrs(widget["attrs"])}>{label}</option>'


_WRITTEN: dict[str, Callable[[dict[str, Any]], SafeString]] = {
    **dict.fromkeys(
        ("text.html", "number.html", "hidden.html", "date.html", "checkbox.html", "email.html", "password.html"), _input
    ),
    "textarea.html": _textarea,
    "select.html": _select,
    "radio.html": _choices,
    "checkbox_select.html": _choices,
}
