"""Department registers in the browser: bring a table, look at what it would do, take it into force, withdraw it."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.areas import covers
from changde.accounts.confirm import ask_to_confirm
from changde.accounts.refusal import Refusal
from changde.audit.services import record_export, record_read
from changde.web.pages import UNPROCESSABLE, go, render_page
from households.domain.registers import REGISTERS, open_register, template_page
from households.domain.workbook import write
from households.forms.registers import KeeperForm, RegisterForm
from households.messages import workbook_refusal
from households.models import RegisterVersion
from households.selectors import registers as selectors
from households.services import register_comparison, registers

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@access("bring_registers")
def index(request: HttpRequest) -> HttpResponse:
    """The versions of one's area; a department sees what it brought itself."""
    context = {
        "page": selectors.version_list(request.user, request.GET),  # type: ignore[arg-type]
        "kinds": selectors.kind_labels(registers.kinds_for(request.user)),  # type: ignore[arg-type]
        "is_office": request.user.can("read_registers"),  # type: ignore[union-attr]
    }
    return render_page(request, "households/registers.html", context, "households/_register_rows.html")


@require_http_methods(["GET", "HEAD", "POST"])
@access("bring_registers")
def new(request: HttpRequest) -> HttpResponse:
    """Bring a table; it is checked in the background and counts only when somebody takes it into force."""
    given = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = RegisterForm(*given, user=request.user, initial={"as_of": timezone.localdate()})  # type: ignore[arg-type]
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            version = registers.bring(
                by=request.user,  # type: ignore[arg-type]
                kind=chosen["kind"],
                source=chosen["source"],
                division=chosen["division"],
                as_of=chosen["as_of"],
                file_name=chosen["file"].name,
                file=chosen["file"],
            )
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            return go(request, "households:register", version.pk)
    context = {"form": form, "templates": [kind for kind in form.fields["kind"].choices]}  # type: ignore[attr-defined]
    status = UNPROCESSABLE if form.is_bound else 200
    return render_page(request, "households/register_form.html", context, status=status)


@require_safe
@access("bring_registers")
def page(request: HttpRequest, version_id: int) -> HttpResponse:
    """One version; while it is worked on the fragment asks for itself again."""
    version = _found(request, version_id)
    registers.settle(version)
    may_decide = selectors.may_decide(request.user, version)  # type: ignore[arg-type]
    is_office = covers(request.user, "read_registers", version.division_id)
    problems = version.problems.order_by("pk")
    context = {
        "version": version,
        "look": selectors.look_of(version),
        "error": workbook_refusal(version.error, version.error_facts) if version.error else "",
        "is_office": is_office,
        "foreseen": selectors.foreseen_of(version) if is_office else [],
        "problems": list(problems[:50]),
        "may_accept": may_decide and version.state == RegisterVersion.State.CHECKED,
        "may_withdraw": may_decide and (version.is_taken or version.state == RegisterVersion.State.CHECKED),
        "may_restore": may_decide
        and version.state == RegisterVersion.State.WITHDRAWN
        and version.confirmed_at is not None
        and version.forgotten_at is None,
        "may_return": bool(version.refused) and version.owner_id == request.user.pk and _has_file(version),
        "may_read": is_office and version.forgotten_at is None and bool(version.accepted) and not version.is_open,
    }
    return render_page(request, "households/register_page.html", context, {"register": "households/_register.html"})


def _has_file(version: RegisterVersion) -> bool:
    return RegisterVersion.objects.filter(pk=version.pk, file_cipher__isnull=False).exists()


@require_POST
@access("bring_registers")
def accept(request: HttpRequest, version_id: int) -> HttpResponse:
    return _step(request, version_id, registers.accept, _("已启用，正在与户卡比对"))


@require_POST
@access("bring_registers")
def withdraw(request: HttpRequest, version_id: int) -> HttpResponse:
    return _step(request, version_id, registers.withdraw, _("已撤回；由这一版引出、尚未处理的线索随比对关闭"))


@require_POST
@access("bring_registers")
def restore(request: HttpRequest, version_id: int) -> HttpResponse:
    return _step(request, version_id, registers.restore, _("已恢复，正在与户卡比对"))


def _step(request: HttpRequest, version_id: int, step: Callable[..., Any], said: str) -> HttpResponse:
    version = _found(request, version_id)
    if not selectors.may_decide(request.user, version):  # type: ignore[arg-type]
        raise Http404
    try:
        step(version=version, by=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, said)
    return go(request, "households:register", version.pk)


@require_safe
@access("read_registers")
def entries(request: HttpRequest, version_id: int) -> HttpResponse:
    """The entries of a version: numbers masked, plates and addresses sealed; each look is logged."""
    version = _found(request, version_id)
    rows, headers, shown = selectors.entry_page(request.user, version, request.GET)  # type: ignore[arg-type]
    record_read("registers.read_entries", by=request.user, target=version, area=version.division_id, entries=len(shown))
    context = {"version": version, "page": rows, "headers": headers, "entries": shown}
    return render_page(request, "households/register_entries.html", context, "households/_register_entry_rows.html")


@require_safe
@access("bring_registers")
def returned(request: HttpRequest, version_id: int) -> HttpResponse:
    """The refused rows as they came, with their reasons; only for who brought them."""
    version = get_object_or_404(
        RegisterVersion.objects.visible_to(request.user).filter(owner=request.user),  # type: ignore[misc]
        pk=version_id,
    )
    if version.content is None or not version.refused:
        messages.info(request, _("没有可取回的行：全部已接收，或文件已按期删除"))
        return go(request, "households:register", version.pk)
    if ask := ask_to_confirm(request, page=reverse("households:register", args=[version.pk])):
        return ask
    file = BytesIO()
    with open_register(BytesIO(version.content), version.kind) as table:
        write(file, [registers.returned_page(version, table)])
    record_export(
        "registers.returned_rows", by=request.user, target=version, area=version.division_id, rows=version.refused
    )
    file.seek(0)
    name = _("退回_%(name)s") % {"name": f"{version.file_name.rpartition('.')[0] or version.pk}.xlsx"}
    return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX)


@require_safe
@access("bring_registers")
def template(request: HttpRequest, kind: str) -> HttpResponse:
    """The layout of a register as a workbook to fill in, with a made-up row."""
    if kind not in REGISTERS:
        raise Http404
    file = BytesIO()
    write(file, [template_page(kind)])
    file.seek(0)
    name = _("%(register)s模板.xlsx") % {"register": REGISTERS[kind][0]}
    return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX)


@require_POST
@access("read_registers")
def compare(request: HttpRequest) -> HttpResponse:
    """Compare the division worked in with all registers now; the night does it anyway."""
    here = request.area.code  # type: ignore[attr-defined]
    if here is None or not covers(request.user, "read_registers", here):
        messages.error(request, _("请先在页面上方选定县或全市"))
        return go(request, "households:registers")
    register_comparison.start_comparison(area=here, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("开始比对；进度见右上角的任务"))
    return go(request, "households:registers")


@require_http_methods(["GET", "HEAD", "POST"])
@access("read_registers")
def keepers(request: HttpRequest) -> HttpResponse:
    """Which department brings which registers."""
    departments = selectors.departments_of(request.user)  # type: ignore[arg-type]
    if request.method == "POST":
        asked = request.POST.get("user", "")
        chosen = next((each for each in departments if str(each.user.pk) == asked), None)
        form = KeeperForm(request.POST)
        if chosen is None or not form.is_valid():
            raise Http404
        registers.set_kinds(user=chosen.user, kinds=form.cleaned_data["kinds"], by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("已保存 %(name)s 报送的登记") % {"name": chosen.user.display_name})
        return go(request, "households:register_keepers")
    rows = [
        (each, KeeperForm(initial={"kinds": sorted(each.kinds)}, auto_id=f"id_{each.user.pk}_%s"))
        for each in departments
    ]
    return render_page(request, "households/register_keepers.html", {"rows": rows})


def _found(request: HttpRequest, version_id: int) -> RegisterVersion:
    """The version, or 404 for absent and for not yours alike."""
    return get_object_or_404(selectors.versions_of(request.user), pk=version_id)  # type: ignore[arg-type]
