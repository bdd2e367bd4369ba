"""What the pages of imports read."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from changde.accounts.models import User
from changde.divisions.models import Division
from changde.web.keyset import KeysetPage
from households.card_facts import in_words
from households.domain.fields import by_card_attribute
from households.domain.values import parse
from households.models import Household, ImportBatch, ImportProblem, Membership, StagedHousehold

# What a reviewer looks at first stands first.
KINDS = (
    StagedHousehold.Kind.REFUSED,
    StagedHousehold.Kind.WAITING,
    StagedHousehold.Kind.DUPLICATE,
    StagedHousehold.Kind.CHANGED,
    StagedHousehold.Kind.NEW,
    StagedHousehold.Kind.SAME,
)
EXCLUDED = "excluded"


def batches(user: User, parameters: Mapping[str, Any]) -> KeysetPage:
    """The workbooks one brought, and those of one's area, newest first; without their files."""
    found = ImportBatch.objects.visible_to(user).defer("file_cipher").select_related("owner")
    return KeysetPage(found, parameters, order=["-id"])


def batch_of(user: User) -> QuerySet[ImportBatch]:
    """Batches one may open, without their files."""
    return ImportBatch.objects.visible_to(user).defer("file_cipher").select_related("owner", "job")


def earlier_same(batch: ImportBatch) -> ImportBatch | None:
    """The same file brought before by the same person and written."""
    same: Iterable[ImportBatch] = ImportBatch.objects.filter(
        digest=batch.digest, owner=batch.owner, pk__lt=batch.pk, state=ImportBatch.State.DONE
    ).defer("file_cipher")[:1]
    return next(iter(same), None)


# -- households of a workbook ------------------------------


def kinds_of(batch: ImportBatch) -> dict[str, int]:
    """How many households of each kind the workbook holds, those kept out apart (one query)."""
    counts: dict[str, int] = dict.fromkeys((*map(str, KINDS), EXCLUDED), 0)
    rows = StagedHousehold.objects.filter(batch=batch).order_by().values_list("kind", "excluded")
    for kind, excluded, number in rows.annotate(number=Count("pk")):
        counts[EXCLUDED if excluded else kind] += number
    return counts


def shown_kind(counts: Mapping[str, int], asked: str) -> str:
    """The kind that is asked for, else the first that has households."""
    if asked in counts:
        return asked
    return next((kind for kind in (*map(str, KINDS), EXCLUDED) if counts[kind]), str(KINDS[0]))


def staged(batch: ImportBatch, kind: str, text: str, parameters: Mapping[str, Any]) -> KeysetPage:
    """Households of a kind in the order of the workbook; by household number or the head's name from its beginning.

    Each row has `village` (its name), `changed` (labels of its fields) and `problems`.
    """
    rows = StagedHousehold.objects.filter(batch=batch).defer("facts_cipher")
    rows = rows.filter(excluded=True) if kind == EXCLUDED else rows.filter(excluded=False, kind=kind)
    if text:
        rows = rows.filter(Q(household__startswith=text) | Q(head_name__startswith=text))
    page = KeysetPage(rows, parameters, order=["position"])
    villages = _villages({row.village_id for row in page.rows})
    problems = _problems(batch, [row.position for row in page.rows])
    for row in page.rows:
        row.village = villages.get(row.village_id, "")
        row.changed = list(dict.fromkeys(_(by_card_attribute(*name.split(".")).header) for name in row.fields))
        row.problems = problems.get(row.position, [])
    return page


def _villages(codes: Iterable[int | None]) -> dict[int, str]:
    return dict(Division.objects.filter(code__in={code for code in codes if code}).values_list("code", "name"))


def _problems(batch: ImportBatch, positions: Iterable[int]) -> dict[int, list[ImportProblem]]:
    found: dict[int, list[ImportProblem]] = defaultdict(list)
    for problem in ImportProblem.objects.filter(batch=batch, position__in=list(positions)):
        found[problem.position or 0].append(problem)
    return found


@dataclass(frozen=True)
class MemberLine:
    name: str
    relation: str
    sex: str
    birth_date: str
    number: str


@dataclass(frozen=True)
class ChangeLine:
    whose: str
    label: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class RowPage:
    """One household of a workbook: what it brings, what changes, and the card it may repeat (where one may see it)."""

    row: StagedHousehold
    village: str
    members: list[MemberLine]
    changes: list[ChangeLine]
    joined: list[str]
    left: list[str]
    new_year: int | None
    problems: list[ImportProblem]
    card: Household | None
    touched: bool
    twin: Household | None
    twin_members: list[MemberLine]
    beside: StagedHousehold | None  # the earlier household of the workbook that it may repeat
    beside_members: list[MemberLine]
    same_people: frozenset[str]
    next_id: int | None


def row_page(user: User, batch: ImportBatch, row_id: int) -> RowPage:
    """Everything on the page of one household; 404 when it is not this workbook's."""
    row = get_object_or_404(StagedHousehold, batch=batch, pk=row_id)
    cards = Household.objects.visible_to(user, "import_cards").select_related("village")
    shown = {card.pk: card for card in cards.filter(pk__in=[pk for pk in (row.card_id, row.twin_id) if pk])}
    card, twin = shown.get(row.card_id), shown.get(row.twin_id)
    if row.village_id is None and batch.owner_id != user.pk:
        raise Http404
    facts = row.facts
    positions = [] if row.twin_position is None else [row.twin_position]
    beside = StagedHousehold.objects.filter(batch=batch, position__in=positions).first()
    later = StagedHousehold.objects.filter(batch=batch, kind=row.kind, excluded=row.excluded)
    later = later.filter(position__gt=row.position).order_by("position")
    members = [MemberLine(*member) for member in facts.get("members", [])]
    twin_members = _members_of(twin) if twin else []
    known = {(member.name, member.birth_date) for member in twin_members}
    return RowPage(
        row=row,
        village=_villages([row.village_id]).get(row.village_id or 0, ""),
        members=members,
        changes=[_line(*change) for change in facts.get("changes", [])],
        joined=facts.get("joined", []),
        left=facts.get("left", []),
        new_year=facts.get("year") if facts.get("new_year") else None,
        problems=list(ImportProblem.objects.filter(batch=batch, position=row.position)),
        card=card,
        touched=bool(card and row.written_at and card.version != row.version and not row.undone_at),
        twin=twin,
        twin_members=twin_members,
        beside=beside,
        beside_members=[MemberLine(*member) for member in beside.facts.get("members", [])] if beside else [],
        same_people=frozenset(member.name for member in members if (member.name, member.birth_date) in known),
        next_id=later.values_list("pk", flat=True).first(),
    )


def _line(entity: str, attribute: str, name: str, old: Any, new: Any) -> ChangeLine:
    of = by_card_attribute(entity, attribute)

    def words(value: Any) -> str | None:
        if value in (None, "", []):
            return None
        return str(value) if of.is_personal else in_words(of, parse(of, value))

    return ChangeLine(name, _(of.header), words(old), words(new))


def _members_of(card: Household) -> list[MemberLine]:
    members = Membership.objects.open().filter(household=card).select_related("person").order_by("position", "pk")
    return [
        MemberLine(
            row.person.name,
            row.relation,
            row.person.sex,
            row.person.birth_date.isoformat() if row.person.birth_date else "",
            row.person.masked_id_number,
        )
        for row in members
    ]
