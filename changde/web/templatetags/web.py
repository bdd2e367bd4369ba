"""Filters and tags of every page (builtins: no load needed). docs/look.md shows them in use.

Unknown is a word, never an empty cell and never zero: filters of figures answer None with "未知" in a muted tone.
Query strings: Django's own `{% querystring %}`.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django import template
from django.forms import BoundField
from django.template.loader import get_template
from django.templatetags.static import do_static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from changde.web.badges import Badge, badge_for
from changde.web.icons import ICONS
from changde.web.keyset import KeysetPage, Total

register = template.Library()
register.tag("static", do_static)  # {% static %} without a load, as everything else

# --- figures -------------------------------------------------------------------------------------------------


def _unknown() -> SafeString:
    return format_html('<span class="unknown">{}</span>', _("未知"))


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None


def _grouped(value: Decimal, places: int) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{rounded:,f}".replace("-", "−")


@register.filter
def number(value: Any, places: int = 0) -> str:
    """1234.5 -> 1,235; `{{ area|number:1 }}` -> 1,234.5."""
    amount = _decimal(value)
    return _unknown() if amount is None else _grouped(amount, int(places))


@register.filter
def amount(value: Any) -> str:
    """Money without its unit, for columns that name it in the head; fen only when there are any."""
    yuan = _decimal(value)
    if yuan is None:
        return _unknown()
    return _grouped(yuan, 0 if yuan == yuan.to_integral_value() else 2)


@register.filter
def money(value: Any) -> str:
    """3218 -> 3,218 元; 3218.5 -> 3,218.50 元."""
    if _decimal(value) is None:
        return _unknown()
    return _("%(amount)s 元") % {"amount": amount(value)}


@register.filter
def share(value: Any, places: int = 1) -> str:
    """A fraction as a share: 0.1236 -> 12.4 %."""
    fraction = _decimal(value)
    return _unknown() if fraction is None else f"{_grouped(fraction * 100, int(places))} %"


@register.filter
def signed(value: Any, places: int = 0) -> str:
    """A change with its sign: 12 -> +12, -3 -> −3, 0 -> 0."""
    change = _decimal(value)
    if change is None:
        return _unknown()
    return f"{'+' if change > 0 else ''}{_grouped(change, int(places))}"


@register.filter
def day(value: date | datetime | None) -> str:
    """2026-11-23, of the local day."""
    if not value:
        return _unknown()
    moment_ = timezone.localtime(value) if isinstance(value, datetime) and timezone.is_aware(value) else value
    return f"{moment_:%Y-%m-%d}"


@register.filter
def clock(value: datetime | None) -> str:
    """14:05, local."""
    if not value:
        return _unknown()
    return f"{timezone.localtime(value) if timezone.is_aware(value) else value:%H:%M}"


@register.filter
def moment(value: datetime | None) -> str:
    """2026-11-23 14:05, local."""
    return f"{day(value)} {clock(value)}" if value else _unknown()


@register.filter
def ago(value: datetime | date | None) -> str:
    """How long ago, in the largest unit that fits: 3 分钟前, 2 天前; of a future moment: 还有 3 天."""
    if not value:
        return _unknown()
    now = timezone.now()
    if isinstance(value, datetime):
        seconds = int((now - value).total_seconds())
    else:
        seconds = (timezone.localdate() - value).days * 86400
    if seconds < 0:
        days = -(seconds // 86400)
        return ngettext("还有 %(days)s 天", "还有 %(days)s 天", days) % {"days": days}
    if seconds < 60 and isinstance(value, datetime):
        return _("刚刚")
    if seconds < 3600 and isinstance(value, datetime):
        minutes = seconds // 60
        return ngettext("%(minutes)s 分钟前", "%(minutes)s 分钟前", minutes) % {"minutes": minutes}
    if seconds < 86400:
        hours = seconds // 3600
        if not isinstance(value, datetime):
            return _("今天")
        return ngettext("%(hours)s 小时前", "%(hours)s 小时前", hours) % {"hours": hours}
    days = seconds // 86400
    return ngettext("%(days)s 天前", "%(days)s 天前", days) % {"days": days}


@register.filter
def total(value: Total) -> str:
    """1,234 or, where it is the planner's estimate, 约 23,000; where counting stopped, 超过 1,000."""
    if value.exact:
        return _grouped(Decimal(value.number), 0)
    if value.more_than:
        return _("超过 %(number)s") % {"number": _grouped(Decimal(value.number), 0)}
    rounded = Decimal(value.number).quantize(Decimal("1E3"))
    return _("约 %(number)s") % {"number": _grouped(rounded, 0)}


# --- marks ---------------------------------------------------------------------------------------------------


def draw(name: str, classes: str = "") -> SafeString:
    """The icon as inline SVG, hidden from screen readers: the text beside it speaks."""
    path = ICONS[name]
    return format_html(
        '<svg class="icon{}" viewBox="0 0 20 20" aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        f" {classes}" if classes else "",
        path,
    )


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """{% icon "home" %}"""
    return draw(name, classes)


@register.simple_tag
def badge(kind: str, value: Any, label: Any = "", size: str = "") -> SafeString:
    """{% badge "outcome" result.outcome %}: text and icon. `label` replaces the text, size="lg" enlarges."""
    if value is None or value == "":
        return mark_safe("")
    return _mark(badge_for(kind, value), label, size)


@register.simple_tag
def label(kind: str, value: Any) -> Any:
    """{% label "job_kind" job.kind %}: the words of a badge without its look."""
    return badge_for(kind, value).label


@register.simple_tag
def mark(text: Any, tone: str = "neutral", icon: str = "") -> SafeString:
    """{% mark "五保户" "info" %}: a badge of its own words."""
    return _mark(Badge(text, tone, icon), "", "")


def _mark(look: Badge, label: Any, size: str) -> SafeString:
    return format_html(
        '<span class="tag tag-{}{}">{}{}</span>',
        look.tone,
        f" tag-{size}" if size else "",
        draw(look.icon) if look.icon else "",
        label or look.label,
    )


@register.simple_tag
def bar(value: Any, maximum: Any = 1, tone: str = "", limit: Any = None, label: Any = "") -> SafeString:
    """{% bar share %}: a small bar of value / maximum; `limit` draws the line it is measured against."""
    part, whole, edge = _decimal(value), _decimal(maximum), _decimal(limit)
    if part is None or not whole:
        return mark_safe("")
    width = max(Decimal(0), min(Decimal(100), part / whole * 100))
    mark_ = ""
    if edge is not None:
        at = max(Decimal(0), min(Decimal("99"), edge / whole * 100))
        mark_ = format_html('<rect class="bar-limit" x="{}" y="0" width="1" height="8"/>', f"{at:.1f}")
    return format_html(
        '<svg class="bar{}" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect width="{}" height="8" rx="1"/>{}</svg>',
        f" bar-{tone}" if tone else "",
        label or f"{width:.0f} %",
        f"{width:.1f}",
        mark_,
    )


# --- components ------------------------------------------------------------------------------------------------


@register.inclusion_tag("components/figure.html")
def figure(
    label: Any,
    value: Any,
    *,
    unit: Any = "",
    change: Any = None,
    change_label: Any = "",
    good: str = "",
    href: str = "",
    as_of: Any = None,
    version: Any = "",
) -> dict[str, Any]:
    """A figure of the area. value: number or text; change: difference to before; good: "up" or "down" is better.

    href opens the list behind it; as_of and version name time and index version of the figure.
    """
    difference = _decimal(change)
    direction = "" if difference is None else "up" if difference > 0 else "down" if difference < 0 else "same"
    judged = "" if not good or direction in ("", "same") else "better" if direction == good else "worse"
    shown = value if isinstance(value, str) else number(value)
    return {
        "label": label,
        "value": shown,
        "unit": unit,
        "change": difference,
        "change_label": change_label,
        "direction": direction,
        "judged": judged,
        "href": href,
        "as_of": as_of,
        "version": version,
    }


@register.inclusion_tag("components/empty_state.html")
def empty_state(title: Any, text: Any = "", *, icon: str = "list", href: str = "", action: Any = "") -> dict[str, Any]:
    """Nothing here: why, and the next step."""
    return {"title": title, "text": text, "icon": icon, "href": href, "action": action}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: template.Context, page: KeysetPage, target: str = "") -> dict[str, Any]:
    """Next and previous of a KeysetPage; `target` (a CSS selector) lets htmx swap the rows alone."""
    return {"request": context.get("request"), "page": page, "target": target}


@register.inclusion_tag("components/chips.html")
def chips(items: Iterable[dict[str, Any]], label: Any = "") -> dict[str, Any]:
    """Filters as chips: dicts of text, href, and on (true), removable (true), count where they apply."""
    return {"items": items, "label": label}


@register.inclusion_tag("components/tabs.html")
def tabs(items: Iterable[dict[str, Any]], label: Any = "") -> dict[str, Any]:
    """Tabs that are addresses: dicts of text, href, and current, count, icon where they apply."""
    return {"items": items, "label": label}


@register.inclusion_tag("components/section_nav.html")
def section_nav(sections: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Sections of a form: dicts of id (or href), text, state ("", done, error, todo), note, current."""
    return {"sections": sections}


@register.inclusion_tag("components/timeline.html")
def timeline(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """History: dicts of when, what, who, text, state ("", done, current, late), href."""
    return {"events": events}


@register.inclusion_tag("components/facts.html")
def facts(items: Iterable[tuple[Any, Any]], wide: bool = False) -> dict[str, Any]:
    """Pairs of name and value; None is shown as unknown."""
    return {"items": items, "wide": wide}


@register.inclusion_tag("components/breadcrumb.html")
def breadcrumb(items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The way to this page: dicts of text and href; the last one is the page itself."""
    return {"items": items}


@register.simple_tag
def field(bound: BoundField, *, unit: Any = "", code: str = "", short: bool = False) -> SafeString:
    """One form field with unit (after the control), national field code, or a short control.

    Written here and not in a template: a card's form has more than two hundred.
    """
    if bound.is_hidden:
        return mark_safe(str(bound))
    words = format_html(
        "{}{}{}",
        bound.label,
        format_html('<span class="field-code">{}</span>', code) if code else "",
        "" if bound.field.required else format_html('<span class="field-optional">{}</span>', _("选填")),
    )
    notes = field_notes(bound)
    if bound.use_fieldset:
        about = bound.aria_describedby
        return format_html(
            '<fieldset class="field" id="{}"{}><legend>{}</legend><div class="choices">{}</div>{}</fieldset>',
            bound.auto_id,
            format_html(' aria-describedby="{}"', about) if about else "",
            words,
            bound,
            notes,
        )
    if getattr(bound.field.widget, "input_type", "") == "checkbox":
        box = '<div class="field field-check">{}<label for="{}">{}</label>{}</div>'
        return format_html(box, bound, bound.id_for_label, bound.label, notes)
    return format_html(
        '<div class="field{}"><label for="{}">{}</label>{}{}</div>',
        " field-short" if short else "",
        bound.id_for_label,
        words,
        format_html('<div class="input-group">{}<span class="input-group-text">{}</span></div>', bound, unit)
        if unit
        else bound,
        notes,
    )


@register.simple_tag
def field_notes(bound: BoundField) -> SafeString:
    """Help, errors and a doubt under a control."""
    own = bound.auto_id
    parts = []
    if bound.help_text:
        name = format_html(' id="{}_helptext"', own) if own else ""
        parts.append(format_html('<div class="field-help"{}>{}</div>', name, mark_safe(bound.help_text)))
    if bound.errors:
        name = format_html(' id="{}_error"', own) if own else ""
        line = '<div class="field-error">{}<span>{}</span></div>'
        lines = format_html_join("", line, ((draw("stop"), error) for error in bound.errors))
        parts.append(format_html("<div{}>{}</div>", name, lines))
    if doubt := getattr(bound.field, "doubt", None):
        parts.append(format_html('<div class="field-doubt">{}<span>{}</span></div>', draw("question"), doubt))
    return mark_safe("".join(parts))


@register.inclusion_tag("components/field_errors.html")
def error_summary(*forms: Any) -> dict[str, Any]:
    """All errors of one or more forms or formsets on top, each a link to its field."""
    problems = [problem for form in forms for one in _single_forms(form) for problem in _problems(one)]
    return {"problems": problems}


def _single_forms(form: Any) -> list[Any]:
    return [form, *form.forms] if hasattr(form, "management_form") else [form]


def _problems(form: Any) -> list[dict[str, Any]]:
    if not getattr(form, "is_bound", False):
        return []
    general = form.non_form_errors() if hasattr(form, "non_form_errors") else form.non_field_errors()
    found = [{"href": "", "label": "", "text": text} for text in general]
    if hasattr(form, "management_form"):
        return found
    for name in form.errors:
        if name in form.fields:
            bound = form[name]
            found += [{"href": f"#{bound.auto_id}", "label": bound.label, "text": text} for text in form.errors[name]]
    return found


@register.inclusion_tag("components/progress.html")
def progress(
    state: str,
    done: Any = None,
    all: Any = None,
    *,
    text: Any = "",
    remaining: Any = None,
    href: str = "",
    cancel_url: str = "",
    csrf_token: str = "",
    result: Any = "",
) -> dict[str, Any]:
    """Long work: state of the job, done of all, remaining (seconds), a link to come back to, a way to cancel."""
    part, whole = _decimal(done), _decimal(all)
    return {
        "state": state,
        "done": part,
        "all": whole,
        "percent": None if not whole or part is None else int(min(Decimal(100), part / whole * 100)),
        "text": text,
        "remaining": _duration(remaining),
        "href": href,
        "cancel_url": cancel_url,
        "csrf_token": csrf_token,
        "result": result,
    }


def _duration(seconds: Any) -> str:
    if seconds is None or seconds == "":
        return ""
    whole = int(seconds)
    if whole < 60:
        return _("%(seconds)s 秒") % {"seconds": whole}
    return _("%(minutes)s 分 %(seconds)s 秒") % {"minutes": whole // 60, "seconds": whole % 60}


@register.simple_block_tag(takes_context=True)
def panel(
    context: template.Context,
    content: str,
    title: Any = "",
    *,
    icon: str = "",
    flush: bool = False,
    href: str = "",
    action: Any = "",
    foot: Any = "",
    id: str = "",
) -> SafeString:
    """{% panel _("家庭成员") %} ... {% endpanel %}: a surface with a head; flush for a table or list that fills it."""
    values = {"content": mark_safe(content), "title": title, "icon": icon, "flush": flush, "href": href}
    values |= {"action": action, "foot": foot, "id": id}
    return mark_safe(get_template("components/panel.html").render(values))


@register.simple_block_tag
def actions(content: str, why: Any = "") -> SafeString:
    """{% actions %} buttons {% endactions %}: the decision bar at the bottom of a case or form."""
    return format_html(
        '<div class="decision-bar" role="group" aria-label="{}"><div class="decision-why muted">{}</div>{}</div>',
        _("办理"),
        why,
        mark_safe(content),
    )
