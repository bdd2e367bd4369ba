"""Entering and correcting a whole card in the browser."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from changde.accounts.access import access
from changde.accounts.refusal import Refusal
from changde.audit.services import record_read
from changde.divisions.codes import Level, ancestor
from changde.divisions.models import Division
from changde.web.pages import CONFLICT, UNPROCESSABLE, go, render_page
from households.card_sections import CARD_SECTIONS, MEMBERS, NEEDS, SECTIONS
from households.domain import checks
from households.domain.card import HEAD, Card, HouseholdFacts, Member, SheetFacts
from households.domain.merge import NumberedCard
from households.domain.years import last_full_year, year_of
from households.forms.card import CardForms, Unconfirmed, card_forms
from households.forms.conflict import chosen, conflicting_forms
from households.forms.notes import FOR_ALL, Doubt, asked, kept, returned, sentences_of
from households.forms.registry import choice_initials
from households.messages import message
from households.models import CardDraft, Finding, Household
from households.selectors.cards import latest_year, villages_of
from households.selectors.drafts import DraftLine, drafts_for
from households.selectors.lines import income_lines
from households.services.card_rows import load_card, name_keys
from households.services.cards import VersionConflict, save_card
from households.services.findings import SentencesMissing
from households.services.needs import NeedsClash, needs_of
from households.views.drafts import draft_texts, owner_tag
from households.views.worksheet import line_texts, standards_for_script

# What a new year's sheet does not take over from the last one: every year is asked anew.
_ASKED_ANEW = (
    "wage_income", "business_income", "property_income", "family_planning", "dibao", "wubao", "pension",
    "ecological_compensation", "other_transfer", "production_expenses", "medical_cost", "request",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@access("edit_cards")
def new(request: HttpRequest) -> HttpResponse:
    """Enter a card from nothing."""
    villages = villages_of(request.user, "edit_cards")
    start = Card(
        HouseholdFacts(village_code=_village_of(request, villages)),
        SheetFacts(year=latest_year(request.user) or last_full_year(timezone.localdate())),
        (Member(relation=HEAD),),
    )
    forms = card_forms(
        request.POST or None, villages=villages, start=start, rows=_rows(request), lines=_rows(request, "lines")
    )
    if request.method != "POST":
        draft, gone = _asked_draft(request, None)
        return gone or _page(request, forms, villages, draft=draft)
    doubts: list[Doubt] = []
    if forms.is_valid:
        try:
            saved = save_card(
                card=forms.numbered.card,
                by=request.user,  # type: ignore[arg-type]
                client_key=forms.household.cleaned_data.get("client_key"),
                sentences=sentences_of(request.POST, forms),
                needs=forms.needs_change,
            )
        except SentencesMissing as missing:
            doubts = asked(forms, missing, request.POST)
        except Refusal as refusal:
            forms.tell(refusal)
        else:
            return _saved(request, saved)
    return _page(request, forms, villages, status=UNPROCESSABLE, doubts=doubts)


@require_http_methods(["GET", "HEAD", "POST"])
@access("edit_cards")
def edit(request: HttpRequest, household_id: int) -> HttpResponse:
    """Correct a card, or enter another year's sheet (?year=)."""
    household = get_object_or_404(Household.objects.visible_to(request.user, "edit_cards"), pk=household_id)
    villages = list(Division.objects.filter(pk=household.village_id))
    year = _year_of(request, household)
    stored = load_card(household, year)
    shown = stored if stored.card.sheet.year else _new_year(household, year)
    carried = stored.card.sheet.year is None
    options: dict[str, Any] = {"villages": villages, "stored": shown, "fixed_year": year, "carried": carried}
    options |= {"needs": needs_of(household, year)}
    options |= {"last_needs": needs_of(household, _year_before(household, year))} if carried else {}
    if request.method != "POST":
        draft, gone = _asked_draft(request, household)
        if gone:
            return gone
        record_read("households.edit_card", by=request.user, target=household, area=household.village_id, year=year)
        blank = {"rows": _rows(request), "lines": _rows(request, "lines")}
        forms = card_forms(None, version=household.version, **blank, **options)
        back = Finding.objects.visible_to(request.user, "edit_cards").filter(household=household).returned()
        shown_doubts = returned(forms, shown, back)
        return _page(request, forms, villages, household=household, draft=draft, doubts=shown_doubts)
    forms = card_forms(chosen(request.POST, stored), **options)
    status = UNPROCESSABLE
    conflict = None
    doubts: list[Doubt] = []
    waiting = forms.unconfirmed if forms.is_valid and "leave_unknown" not in request.POST else []
    if forms.is_valid and not waiting:
        mine = forms.numbered
        try:
            saved = save_card(
                card=replace(mine.card, sheet=replace(mine.card.sheet, year=year)),
                persons=mine.persons,
                by=request.user,  # type: ignore[arg-type]
                household=household,
                expected_version=forms.household.cleaned_data.get("version"),
                sentences=sentences_of(request.POST, forms),
                client_key=forms.household.cleaned_data.get("client_key"),
                needs=forms.needs_change,
            )
        except SentencesMissing as missing:
            doubts = asked(forms, missing, request.POST)
        except NeedsClash as clash:
            forms.needs.show(clash)
            status = CONFLICT
        except VersionConflict as refusal:
            forms, conflict, status = conflicting_forms(request.POST, forms, refusal, **options), refusal, CONFLICT
        except Refusal as refusal:
            forms.tell(refusal)
        else:
            return _saved(request, saved)
    return _page(
        request,
        forms,
        villages,
        household=household,
        conflict=conflict,
        waiting=waiting,
        doubts=doubts,
        status=status,
    )


def _page(
    request: HttpRequest,
    forms: CardForms,
    villages: list[Division],
    *,
    household: Household | None = None,
    conflict: VersionConflict | None = None,
    draft: CardDraft | None = None,
    waiting: Sequence[Unconfirmed] = (),
    status: int = 200,
    doubts: list[Doubt] | None = None,
) -> HttpResponse:
    village = villages[0] if villages else None
    county = ancestor(village.code, Level.COUNTY) if village else None
    context = {
        "forms": forms,
        "household": household,
        "village": village if len(villages) == 1 else None,
        "villages": villages,
        "conflict": conflict,
        "doubts": doubts,
        "for_all": (FOR_ALL, request.POST.get(FOR_ALL, "")),
        "kept_sentences": kept(request.POST, doubts or ()),
        "waiting": waiting,
        "sections": [(section, forms.household.section_groups(section)) for section in CARD_SECTIONS],
        "members_section": MEMBERS,
        "nav": [_state(section, forms) for section in SECTIONS],
        "lines": {str(year): str(line) for year, line in income_lines(county).items()},
        "texts": _texts(),
        "worksheet": forms.worksheet,
        "standards": standards_for_script(county),
        "line_texts": line_texts(),
        "rules": _rules(),
        "search": {
            "initials": choice_initials() | {each.name: name_keys(each.name)[1] for each in villages[:400]},
            "none": _("没有符合的选项"),
        },
        "back": reverse("households:card", args=[household.pk]) if household else reverse("households:list"),
    } | _draft_context(request, forms, household, draft)
    return render_page(request, "households/card_form.html", context, status=status)


def _asked_draft(request: HttpRequest, household: Household | None) -> tuple[CardDraft | None, HttpResponse | None]:
    """The draft ?draft= names, to be taken up; or where to go when it is not there any more (or not this person's)."""
    asked = request.GET.get("draft", "")
    if not asked:
        return None, None
    own = CardDraft.objects.visible_to(request.user).current().filter(household=household)
    draft = own.filter(pk=int(asked)).first() if asked.isdecimal() and len(asked) < 19 else None
    if draft is None:
        messages.info(request, _("这份草稿已经提交或放弃，下面是没有草稿的表单"))
        query = request.GET.copy()
        del query["draft"]
        return None, HttpResponseRedirect(f"{request.path}?{query.urlencode()}" if query else request.path)
    record_read("households.resume_draft", by=request.user, target=draft, area=draft.village_id)
    return draft, None


def _draft_context(
    request: HttpRequest, forms: CardForms, household: Household | None, draft: CardDraft | None
) -> dict[str, Any]:
    """What static/js/card-draft.js starts from, and the person's other drafts of this card to choose from."""
    if forms.household.is_bound:
        given = forms.household["client_key"].value() or ""
        with suppress(ValueError):
            draft = CardDraft.objects.visible_to(request.user).filter(client_key=uuid.UUID(str(given))).first()
    own: list[DraftLine] = [] if forms.household.is_bound else drafts_for(request.user, household)  # type: ignore[arg-type]
    known = [
        {"key": str(each.client_key), "writer": str(each.writer), "sequence": each.sequence, "revision": each.revision}
        for each in {line.draft for line in own} | ({draft} if draft else set())
    ]
    resumed = draft is not None and not forms.household.is_bound
    at = timezone.localtime(draft.changed_at).strftime("%H:%M") if draft else ""
    start = {
        "household": household.pk if household else None,
        "id": draft.pk if draft else None,
        "at": at,
        "revision": draft.revision if draft else 0,
        "controls": draft.controls if draft and resumed else None,
        "known": known,
        "owner": owner_tag(request),
    }
    offers = [line for line in own if line.draft != draft]
    return {"draft": draft, "draft_start": start, "draft_offers": offers, "draft_texts": draft_texts()}


def _state(section: Any, forms: CardForms) -> dict[str, Any]:
    """The section in the navigation: how many errors, else how far it is filled (the script keeps it up to date)."""
    shown = forms.members.forms if section is MEMBERS else [forms.household]
    errors = 0
    if forms.household.is_bound:
        errors = sum(1 for form in shown for name in form.errors if name in section.attributes)
        errors += len(forms.needs.errors) if section is NEEDS else 0
    note = _("%(count)s 处错误") % {"count": errors} if errors else ""
    return {"id": section.id, "text": section.title, "state": "error" if errors else "", "note": note}


def _saved(request: HttpRequest, household: Household) -> HttpResponse:
    at = timezone.localtime(household.changed_at).strftime("%H:%M")
    messages.success(request, _("户卡已于 %(time)s 保存") % {"time": at})
    return go(request, "households:card", household.pk)


def _rows(request: HttpRequest, name: str = "rows") -> int:
    """Blank rows asked for where the browser runs no scripts: of members, or of each group of the worksheet."""
    asked = request.GET.get(name, "")
    return min(int(asked), 12) if asked.isdecimal() else 0


def _village_of(request: HttpRequest, villages: list[Division]) -> int | None:
    here = request.area.code  # type: ignore[attr-defined]
    codes = [village.code for village in villages]
    return codes[0] if len(codes) == 1 else here if here in codes else None


def _year_of(request: HttpRequest, household: Household) -> int:
    """The year in the address or the form, else the card's latest, else the last full accounting year."""
    asked = year_of(request.GET.get("year", ""))
    if asked:
        return asked
    latest = household.sheets.order_by("-year").values_list("year", flat=True).first()
    return latest or last_full_year(timezone.localdate())


def _new_year(household: Household, year: int) -> NumberedCard:
    """A year without a sheet starts from the latest one's conditions; income and the request are asked anew."""
    last = load_card(household, _year_before(household, year))
    blank: dict[str, Any] = dict.fromkeys(_ASKED_ANEW)
    sheet = replace(last.card.sheet, year=year, entered_by=None, entered_at=None, **blank)
    return replace(last, card=replace(last.card, sheet=sheet, lines=()))


def _year_before(household: Household, year: int) -> int | None:
    """The latest year with a sheet before `year`."""
    return household.sheets.filter(year__lt=year).order_by("-year").values_list("year", flat=True).first()


def _rules() -> dict[str, Any]:
    """What static/js/member-notes.js notes at once: figures and words of the checks that run at the save."""
    noted = (
        "child-age", "parent-age", "grandchild-age", "spouse-age", "head-minor", "age-limit", "birth-future",
        "spouse-sex", "two-spouses", "relation-sex", "id-missing", "disability-certificate",
    )  # fmt: skip
    return checks.relations.rules_as_data(checks.Limits()) | {
        "numberFrom": checks.identity.NUMBER_FROM_AGE,
        "texts": {check_id: message(check_id) for check_id in noted},
    }


def _texts() -> dict[str, str]:
    """What static/js/card-form.js says."""
    return {
        "idOk": _("号码正确：%(sex)s，%(birth)s 出生，%(age)s 岁"),
        "idLength": _("应为 18 位，现为 %(length)s 位"),
        "idWrong": _("校验码不对或日期不存在，请核对"),
        "idOld": _("；15 位老号码，18 位为 %(number)s"),
        "certificateOk": _("证号正确：残疾%(grade)s，与证件号码一致"),
        "certificateWrong": _("应为 20 位：18 位证件号码、类别（1 至 7）、等级（1 至 4）；换发的在后面加 B 和次数"),
        "certificateOther": _("证号中的证件号码与本人不同"),
        "allSame": _("本节都没有变化"),
        "notes": _("%(count)s 处疑点"),
        "idTwice": _("本户另有成员用了同一号码"),
        "age": _("%(age)s 岁"),
        "member": _("第 %(number)s 位成员"),
        "removed": _("保存后移出本户"),
        "filled": _("已填 %(done)s/%(all)s"),
        "sectionEmpty": _("空"),
        "sectionComplete": _("完整"),
        "sectionNotes": _("%(count)s 处疑点"),
        "needUrgency": _("写了说明的，请选紧急程度"),
        "missing": _("还有 %(count)s 项收支未填，暂算不出；没有的请填 0"),
        "nobody": _("还没有计入的家庭成员"),
        "below": _("低于 %(year)s 年标准线 %(line)s 元，差 %(gap)s 元"),
        "above": _("不低于 %(year)s 年标准线 %(line)s 元，高出 %(gap)s 元"),
        "noLine": _("%(year)s 年没有标准线"),
    }
