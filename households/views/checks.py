"""The checks and their figures, for the offices that set them."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from changde.accounts.access import access
from changde.accounts.refusal import Refusal
from changde.web.pages import UNPROCESSABLE, render_page
from households.forms.checks import CheckForm, plain
from households.messages import CHECK_TEXTS, message
from households.selectors.checks import CheckLine, check_line, check_lines, setting_place, versions_of
from households.services.check_settings import set_check

# One fires on a county's own figures: shown with them.
Shown = tuple[CheckLine, str]


@require_safe
@access("manage_checks")
def index(request: HttpRequest) -> HttpResponse:
    """All checks with severity, what each fires on, figures and switch of the county worked in, and examples."""
    county = setting_place(request.user, request.area.division)  # type: ignore[arg-type, attr-defined]
    lines = check_lines(county)
    severity = request.GET.get("severity", "")
    severity = severity if severity in ("red", "yellow", "wait") else ""
    shown: list[Shown] = [
        (line, text_of(line)) for line in lines if not severity or line.description.severity == severity
    ]
    context = {
        "lines": shown,
        "county": county,
        "severity": severity,
        "counts": {
            each: sum(line.description.severity == each for line in lines) for each in ("red", "yellow", "wait")
        },
        "all": len(lines),
    }
    return render_page(request, "households/checks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access("manage_checks")
def edit(request: HttpRequest, check_id: str) -> HttpResponse:
    """One check: its examples, its versions, and its setting here."""
    county = setting_place(request.user, request.area.division)  # type: ignore[arg-type, attr-defined]
    line = check_line(check_id, county)
    if line is None:
        raise Http404
    form = _form(request, line)
    if request.method == "POST" and form.is_valid():
        try:
            set_check(
                check_id=check_id,
                division=county,
                is_on=form.cleaned_data.get("is_on", True),
                figures=form.figure_values(),
                reason=form.cleaned_data["reason"],
                expected_version=form.cleaned_data["version"],
                by=request.user,  # type: ignore[arg-type]
            )
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            messages.success(request, _("设置已保存，从现在起录入、导入和夜间检查都按新的来"))
            return redirect("households:checks")
    context = {
        "line": line,
        "text": text_of(line),
        "county": county,
        "form": form,
        "versions": versions_of(check_id, county),
    }
    return render_page(request, "households/check.html", context, status=UNPROCESSABLE if form.is_bound else 200)


def _form(request: HttpRequest, line: CheckLine) -> CheckForm:
    initial = {figure.name: plain(own) for figure, _value, own in line.figures if own is not None}
    initial |= {"is_on": line.is_on, "version": line.own.version if line.own else 0}
    return CheckForm(
        request.POST or None,
        initial=initial,
        description=line.description,
        figures=tuple(figure for figure, _value, _own in line.figures),
        above=dict(line.above),
    )


def text_of(line: CheckLine) -> str:
    """What the check says, with the figures in force here."""
    figures = {figure.name: plain(value) for figure, value, _own in line.figures}
    return message(line.id, _PLACES | figures) if line.id in CHECK_TEXTS else line.description.fires_when


# What stands for a value that only a card has.
_PLACES = {"length": "…", "expected": "…", "heads": "…", "members": "…", "line": "…", "limit": "…"}
