"""Notes of the checks: kept with a card, explained by who types it, decided by a reviewer. See docs/checks.md."""

import json
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.crypto.cipher import blind_index
from households.domain import checks
from households.domain.card import Card, HouseholdFacts
from households.domain.card import Finding as Check
from households.domain.checks import FIGURES_OF
from households.models import Finding
from households.selectors.findings import own_records
from households.services.card_rows import PERSON_COLUMNS, SECRETS

WORDS_LENGTH = 300
UNDO_FOR = timedelta(hours=1)
# A save cannot mend these: it neither opens nor closes their notes.
NOT_OF_A_SAVE = frozenset({"risk-months", "card-old"})

# (check, place of the member on the card; None for the household)
Place = tuple[str, int | None]


@dataclass(frozen=True)
class Sentences:
    """What the typist says about yellow checks: by check and member's place, and one for all the others."""

    each: Mapping[Place, str] = field(default_factory=dict)
    for_all: str = ""

    def about(self, finding: Check, *, alone: bool = False) -> str:
        """The sentence on this finding; `alone`: not the one for all, which would cover what was said before."""
        own = self.each.get((finding.check_id, finding.member), "").strip()
        return own or ("" if alone else self.for_all.strip())


class SentencesMissing(Refusal):
    """Yellow checks fired on a card that a person types: each wants one sentence. `problems` says what is wrong with
    a sentence that was given, by place; a place without an entry has none yet."""

    def __init__(self, findings: Sequence[Check], problems: Mapping[Place, str]):
        super().__init__("sentences_missing", _("有几处看起来不寻常，请各用一句话说明，再保存"))
        self.findings, self.problems = tuple(findings), dict(problems)


@dataclass(frozen=True)
class Judged:
    """A stored card with what the checks say about it. `persons` are the ids behind its members."""

    household: int
    village: int
    year: int | None
    card: Card
    persons: Sequence[int]
    findings: Sequence[Check]

    def person(self, finding: Check) -> int | None:
        if finding.member is not None:
            return self.persons[finding.member]
        return finding.parameters.get("person")


@dataclass
class Kept:
    """How many notes were opened, and closed because nothing fires any more."""

    opened: int = 0
    closed: int = 0


# -- keeping ------------------------------


def keep(
    judged: Sequence[Judged],
    *,
    by: User | None,
    sentences: Sentences | None = None,
    spared: Collection[str] = (),
) -> Kept:
    """Bring the notes of these households to what the checks say: open new ones, close as corrected what fires no more.

    What a reviewer accepted does not come again while the values it looked at stay. With `sentences` (a person types)
    every note that is new, or was returned, must be explained: else SentencesMissing, and the caller's transaction is
    undone. `spared` checks are left alone. Call it with the household rows locked.
    """
    households = [each.household for each in judged]
    notes = Finding.objects.of_checks().filter(household__in=households)
    is_open = {(each.household_id, each.code, each.person_id): each for each in notes.open()}
    accepted = {
        (household, code, person, bytes(mark))
        for household, code, person, mark in notes.filter(
            decision=Finding.Decision.ACCEPTED, mark__isnull=False
        ).values_list("household_id", "code", "person_id", "mark")
    }
    new: list[Finding] = []
    changed: list[Finding] = []
    fired: set[tuple[int, str, int | None]] = set()
    missing: list[Check] = []
    problems: dict[Place, str] = {}
    for card in judged:
        for finding in card.findings:
            if finding.severity == checks.WAIT:
                _flag_double(card, finding)
                continue
            key = (card.household, finding.check_id, card.person(finding))
            if key in fired or finding.check_id in spared:
                continue
            fired.add(key)
            row = _row(card, finding, by)
            stands = is_open.get(key)
            if stands is None and (*key, bytes(row.mark or b"")) in accepted:
                continue
            words = _reason_on_card(card.card, finding)
            if sentences is not None and not words and finding.check_id not in checks.OFFICE_ONLY:
                stands_explained = stands is not None and bool(stands.explanation) and not stands.is_returned
                words = sentences.about(finding, alone=stands_explained)
                problem = _wrong_with(words) if words else ""
                if problem or (not words and (stands is None or stands.is_returned)):
                    missing.append(finding)
                    problems |= {(finding.check_id, finding.member): problem} if problem else {}
                    continue
            if stands is None:
                _explain(row, words, by)
                new.append(row)
            elif _differs(stands, row) or (words and words != stands.explanation):
                for name in _KEPT:
                    setattr(stands, name, getattr(row, name))
                _explain(stands, words, by)
                changed.append(stands)
    if missing:
        raise SentencesMissing(missing, problems)
    Finding.objects.bulk_create(new, ignore_conflicts=True)
    Finding.objects.bulk_update(changed, [*_KEPT, *_EXPLAINED])
    # A note of something that happened (an import closed lines) is no check's: only a reviewer ends it.
    ends = checks.CHECKS.keys() - set(spared)
    over = [each.pk for key, each in is_open.items() if key not in fired and each.code in ends]
    Finding.objects.filter(pk__in=over).update(
        decided_at=timezone.now(), decided_by=by, decision=Finding.Decision.CORRECTED,
        returned_at=None, returned_by=None, return_reason="",
    )  # fmt: skip
    return Kept(len(new), len(over))


_KEPT = ("facts", "mark", "severity", "blocks")
_EXPLAINED = ("explanation", "explained_by", "explained_at", "returned_at", "returned_by", "return_reason")
_LASTING = frozenset(
    {each.name for each in fields(HouseholdFacts)}
    | set(PERSON_COLUMNS)
    | {name for secrets in SECRETS.values() for name in secrets}
    | {"relation"}
)


def _row(card: Judged, finding: Check, by: User | None) -> Finding:
    return Finding(
        household_id=card.household,
        person_id=card.person(finding),
        village_id=card.village,
        kind=Finding.Kind.YELLOW_CHECK,
        code=finding.check_id,
        severity=finding.severity,
        blocks=finding.severity == checks.RED or checks.needs_acceptance(finding),
        mark=mark_of(card, finding),
        noted_by=by,
        facts={
            "attributes": list(finding.attributes),
            "year": card.year,
            "parameters": {name: str(value) for name, value in finding.parameters.items() if name != "person"},
        },
    )


def mark_of(card: Judged, finding: Check) -> bytes | None:
    """Keyed hash of the values the check looked at; the year counts where a value of the year's sheet is among them."""
    holder = card.card.members[finding.member] if finding.member is not None else None
    places = [holder] if holder is not None else [card.card.household, card.card.sheet]
    values = [
        next((getattr(place, name) for place in places if hasattr(place, name)), None) for name in finding.attributes
    ]
    figures = FIGURES_OF.get(finding.check_id, ())
    facts = {name: value for name, value in finding.parameters.items() if name not in figures}
    year = None if _LASTING.issuperset(finding.attributes) else card.year
    text = json.dumps([finding.check_id, year, values, facts], default=_written, ensure_ascii=False)
    return blind_index(text, kind="finding")


def _written(value: object) -> str:
    """7 typed and 7.00 stored are one value."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _differs(stands: Finding, row: Finding) -> bool:
    return any(
        (bytes(getattr(stands, name) or b"") if name == "mark" else getattr(stands, name)) != getattr(row, name)
        for name in _KEPT
    )


def _reason_on_card(card: Card, finding: Check) -> str:
    """A red check that goes in with a reason has it on the card itself."""
    if not checks.needs_acceptance(finding) or finding.member is None:
        return ""
    words = card.members[finding.member].no_id_reason or ""
    return "" if _wrong_with(words) else words


def _explain(row: Finding, words: str, by: User | None) -> None:
    """Words for the reviewer; a returned note goes back to the desk with them."""
    if words:
        row.explanation, row.explained_by, row.explained_at = words, by, timezone.now()
        row.returned_at = row.returned_by = None
        row.return_reason = ""


def _flag_double(card: Judged, finding: Check) -> None:
    """Its number is another card's: for the duplicates desk."""
    note = Finding(
        household_id=card.household,
        person_id=card.person(finding),
        village_id=card.village,
        kind=Finding.Kind.DUPLICATE_NUMBER,
        code=finding.check_id,
        blocks=True,
    )
    Finding.objects.bulk_create([note], ignore_conflicts=True)


# -- words ------------------------------

_PERSONAL = re.compile(r"\d{15}")


def _wrong_with(words: str) -> str:
    """What is wrong with a sentence; empty when nothing is."""
    plain = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", words))
    if len(plain) < 2:
        return _("请用一句话说明")
    if len(words) > WORDS_LENGTH:
        return _("最多 %(limit)s 个字") % {"limit": WORDS_LENGTH}
    if _PERSONAL.search(plain):
        return _("说明里不要写证件号码或账号")
    return ""


def plain_words(words: str, field: str) -> str:
    """A sentence an office writes, trimmed. Raises Refusal at `field`: too short, too long, with a personal number."""
    words = words.strip()
    problem = _wrong_with(words)
    if problem:
        raise Refusal("sentence_wrong", problem, field=field)
    return words


# -- explaining and deciding ------------------------------


@transaction.atomic
def explain(*, finding: Finding, words: str, by: User) -> Finding:
    """Say in one sentence why the card is right although a check fired; a returned note goes to the reviewer again."""
    row = _open(finding, by, "edit_cards")
    _explain(row, plain_words(words, "words"), by)
    row.save(update_fields=_EXPLAINED)
    record("findings.explain", by=by, target=row, area=row.village_id, code=row.code)
    return row


@transaction.atomic
def accept(*, finding: Finding, by: User, reason: str = "") -> Finding:
    """The card may stay as it is. Never a red check, never by who typed or explained it."""
    row = _reviewed(finding, by)
    if row.severity == checks.RED:
        raise Refusal("red", _("这是必须更正的错误，不能认可；请退回更正"))
    row.reason = plain_words(reason, "reason") if reason.strip() else ""
    row.decision, row.decided_by, row.decided_at = Finding.Decision.ACCEPTED, by, timezone.now()
    row.returned_at = row.returned_by = None
    row.return_reason = ""
    row.save(
        update_fields=[
            "reason", "decision", "decided_by", "decided_at", "returned_at", "returned_by", "return_reason",
        ]
    )  # fmt: skip
    record("findings.accept", by=by, target=row, area=row.village_id, code=row.code)
    return row


@transaction.atomic
def send_back(*, finding: Finding, reason: str, by: User) -> Finding:
    """Back to the village, with the reason: it corrects the card or explains."""
    row = _reviewed(finding, by)
    row.return_reason = plain_words(reason, "reason")
    row.returned_at, row.returned_by = timezone.now(), by
    row.save(update_fields=["return_reason", "returned_at", "returned_by"])
    record("findings.return", by=by, target=row, area=row.village_id, code=row.code)
    return row


@transaction.atomic
def undo(*, finding: Finding, by: User) -> Finding:
    """Take back one's own decision within the hour, while nothing has come after it."""
    row = Finding.objects.select_for_update().get(pk=finding.pk)
    _covered(row, by)
    mine = row.decided_by_id if row.decision == Finding.Decision.ACCEPTED else row.returned_by_id
    at = row.decided_at if row.decision == Finding.Decision.ACCEPTED else row.returned_at
    if mine != by.pk or at is None or at < timezone.now() - UNDO_FOR:
        raise Refusal("too_late", _("只能撤销自己一小时之内的决定"))
    notes = Finding.objects.open().filter(household=row.household_id, kind=row.kind, code=row.code)
    if row.decided_at is not None and notes.filter(person=row.person_id).exists():
        raise Refusal("too_late", _("这张户卡之后又有改动，不能撤销"))
    row.decision, row.decided_by, row.decided_at, row.reason = "", None, None, ""
    row.returned_at = row.returned_by = None
    row.return_reason = ""
    row.save(
        update_fields=[
            "decision", "decided_by", "decided_at", "reason", "returned_at", "returned_by", "return_reason",
        ]
    )  # fmt: skip
    record("findings.undo", by=by, target=row, area=row.village_id, code=row.code)
    return row


def _reviewed(finding: Finding, by: User) -> Finding:
    row = _open(finding, by, "review_findings")
    if row.is_returned:
        raise Refusal("returned", _("这条疑点已退回村里，等村里说明或更正"))
    if own_records([row], by):
        raise Refusal("own_record", _("这张户卡由您录入或说明，须由另一位同志审核"))
    return row


def _open(finding: Finding, by: User, capability: str) -> Finding:
    row = Finding.objects.of_checks().select_for_update().get(pk=finding.pk)
    _covered(row, by, capability)
    if row.decided_at is not None:
        raise Refusal("decided", _("这条疑点已经办结"))
    return row


def _covered(row: Finding, by: User, capability: str = "review_findings") -> None:
    if not covers(by, capability, row.village_id):
        raise PermissionDenied(capability)
