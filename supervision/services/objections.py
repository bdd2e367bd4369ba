"""Objections against a posted list: raised without login, visited, decided and answered. See docs/publicity.md."""

import uuid
from dataclasses import dataclass
from datetime import date

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.crypto.cipher import blind_index, encrypt
from changde.divisions.codes import Level, ancestor
from supervision.domain import publicity
from supervision.domain.publicity import DEFAULT, FIRST, may_decide_objection
from supervision.domain.snapshot import personal_numbers
from supervision.domain.working_days import add_working_days
from supervision.models import ListEntry, Objection, PublicityList
from supervision.reference import calendar

TEXT_LENGTH = 2000
CONTACT_LENGTH = 100
CODE_PLACES = 12
_CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_SALT = "supervision.objection"
_FORM_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Raised:
    """What the complainant is shown, once: the code is stored as a keyed hash alone."""

    objection: Objection
    code: str


def new_form_key() -> str:
    """A signed key for one form. The tracking code follows from it, so that a repeated sending gives the same code."""
    return signing.TimestampSigner(salt=_SALT).sign(uuid.uuid4().hex)


def tracking_hash(code: str) -> bytes | None:
    """The stored form of a code, however people type it (blanks, hyphens, small letters, full width)."""
    return blind_index(code, kind="objection")


@transaction.atomic
def raise_objection(
    *,
    publicity_list: PublicityList,
    about: str,
    text: str,
    key: str,
    position: int | None = None,
    contact: str = "",
) -> Raised:
    """Somebody objects; no login, no name needed. `position` names the household on the list when `about` is listed.

    The same form sent twice is one objection with one code. Raises Refusal: `form_expired`, `period_over`,
    `not_on_list`, `text_missing`, `text_too_long`, `contact_too_long`, `already_sent` (the form was sent with another
    text).
    """
    code = _code_of(key)
    text, contact = text.strip(), contact.strip()
    _check_words(text, contact)
    earlier = _sent_before(code, publicity_list, text)
    if earlier:
        return Raised(earlier, code)
    now = timezone.now()
    if not publicity.allows(publicity.OBJECT, publicity_list.state(now)):
        raise Refusal("period_over", _("这份名单的公示期已经结束，请直接向乡镇政府反映"))
    entry = _listed(publicity_list, position) if about == Objection.About.LISTED else None
    objection_id = uuid.uuid4()
    objection = Objection(
        id=objection_id,
        publicity_list=publicity_list,
        village_id=publicity_list.village_id,
        owner_id=_owner(publicity_list),
        about=about,
        entry=entry,
        text_cipher=encrypt(text, field="objection.text", owner=str(objection_id)),
        contact_cipher=encrypt(contact, field="objection.contact", owner=str(objection_id)),
        tracking_hash=tracking_hash(code),
        received_at=now,
        due=add_working_days(timezone.localdate(now), DEFAULT.objection_working_days, calendar()),
    )
    try:
        with transaction.atomic():
            objection.save(force_insert=True)
    except IntegrityError:
        earlier = _sent_before(code, publicity_list, text)
        if earlier is None:
            raise
        return Raised(earlier, code)
    record(
        "objections.receive",
        by=None,
        target=objection,
        area=objection.village_id,
        list=publicity_list.pk,
        about=about,
        due=objection.due.isoformat(),
    )
    return Raised(objection, code)


@transaction.atomic
def note_visit(*, objection: Objection, on: date, note: str, by: User) -> Objection:
    """The owner's office looked into it on the spot; needed before a decision."""
    row = _open(objection, by)
    note = _words(note, "note", _("请写明核实情况"))
    if not timezone.localdate(row.received_at) <= on <= timezone.localdate():
        raise Refusal("visit_date", _("核实日期应在收到异议之后、今天之前"), field="on")
    row.visited_on, row.visit_note, row.visit_by = on, note, by
    row.save(update_fields=["visited_on", "visit_note", "visit_by"])
    record("objections.visit", by=by, target=row, area=row.village_id)
    return row


@transaction.atomic
def decide(*, objection: Objection, decision: str, answer: str, by: User) -> Objection:
    """Uphold or reject, with the answer complainant and village read. Never by who made or posted the list."""
    row = _open(objection, by)
    listed = row.publicity_list
    if not may_decide_objection(by.pk, listed.drafted_by_id, listed.snapshot.posted_by_id):
        raise Refusal("own_list", _("名单由您拟定或公示，须由另一位同志处理异议"))
    if decision not in Objection.Decision.values:
        raise Refusal("decision_missing", _("请选择异议是否成立"), field="decision")
    answer = _words(answer, "answer", _("请写明答复"))
    if row.visited_on is None:
        raise Refusal("visit_first", _("须先核实再作决定"), field="decision")
    row.decision, row.answer, row.decided_by, row.decided_at = decision, answer, by, timezone.now()
    row.save(update_fields=["decision", "answer", "decided_by", "decided_at"])
    record("objections.decide", by=by, target=row, area=row.village_id, decision=decision, list=listed.pk)
    return row


def _code_of(key: str) -> str:
    try:
        token = signing.TimestampSigner(salt=_SALT).unsign(key, max_age=_FORM_SECONDS)
    except signing.BadSignature as error:
        raise Refusal("form_expired", _("页面打开太久了，请再提交一次")) from error
    number = int.from_bytes(salted_hmac(_SALT, token, algorithm="sha256").digest())
    letters = []
    for _place in range(CODE_PLACES):
        number, letter = divmod(number, len(_CODE_LETTERS))
        letters.append(_CODE_LETTERS[letter])
    return "-".join("".join(letters[start : start + 4]) for start in range(0, CODE_PLACES, 4))


def _sent_before(code: str, publicity_list: PublicityList, text: str) -> Objection | None:
    earlier = Objection.objects.filter(tracking_hash=tracking_hash(code)).first()
    if earlier and (earlier.publicity_list_id, earlier.text) != (publicity_list.pk, text):
        raise Refusal("already_sent", _("这张表已经提交过。如要补充，请重新打开异议页面"))
    return earlier


def _check_words(text: str, contact: str) -> None:
    if not text:
        raise Refusal("text_missing", _("请写明您的意见"), field="text")
    if len(text) > TEXT_LENGTH:
        raise Refusal("text_too_long", _("请不超过 %(count)s 字") % {"count": TEXT_LENGTH}, field="text")
    if len(contact) > CONTACT_LENGTH:
        raise Refusal("contact_too_long", _("请不超过 %(count)s 字") % {"count": CONTACT_LENGTH}, field="contact")


def _listed(publicity_list: PublicityList, position: int | None) -> ListEntry:
    entry = publicity_list.entries.included().filter(position=position).first() if position else None
    if entry is None:
        raise Refusal("not_on_list", _("请选择名单上的一户"), field="position")
    return entry


def _owner(publicity_list: PublicityList) -> int:
    """Who decides: the township; for a list the township posted itself, the county."""
    return ancestor(publicity_list.village_id, Level.TOWNSHIP if publicity_list.step == FIRST else Level.COUNTY)


def _open(objection: Objection, by: User) -> Objection:
    if not covers(by, "decide_objections", objection.owner_id):
        raise PermissionDenied("decide_objections")
    row = (
        Objection.objects.select_for_update(of=("self",))
        .select_related("publicity_list__snapshot")
        .get(pk=objection.pk)
    )
    if not row.is_open:
        raise Refusal("already_decided", _("这件异议已经办结"))
    return row


def _words(text: str, field: str, missing: str) -> str:
    words = text.strip()
    if not words:
        raise Refusal(f"{field}_missing", missing, field=field)
    if len(words) > TEXT_LENGTH:
        raise Refusal(f"{field}_too_long", _("请不超过 %(count)s 字") % {"count": TEXT_LENGTH}, field=field)
    if personal_numbers(words):
        raise Refusal(f"{field}_has_number", _("请不要写证件号码"), field=field)
    return words
