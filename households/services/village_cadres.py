"""The county's register of village cadres and their declared relatives: written, removed with undo, imported.

Its one use is the findings of favor; its pages are the county office's alone, and each read is logged.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, BinaryIO

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.bulk import allocate_ids
from changde.crypto.cipher import blind_index, encrypt
from changde.divisions.codes import Level
from changde.divisions.models import Division
from households.domain import village_cadre as facts_of
from households.domain.village_cadre import SHEET, CadreFacts, RelativeFacts
from households.domain.workbook import ReadLimits, WorkbookRefused, open_workbook
from households.messages import workbook_message
from households.models import CadreRelative, VillageCadre

UNDO_FOR = timedelta(hours=1)
LIMITS = ReadLimits(file=5 << 20, inflated=50 << 20, rows=10_000, seconds=30)
_NUMBERS = {"number": "id", "phone": "phone", "account": "account"}


@transaction.atomic
def save_cadre(
    *,
    cadre: VillageCadre | None,
    village: Division,
    facts: CadreFacts,
    relatives: Sequence[RelativeFacts] | None,
    by: User,
) -> VillageCadre:
    """Write a cadre with the declared relatives (None: leave them). A relative that is not named any more goes."""
    _may_keep(by, village.code)
    if village.level != Level.VILLAGE:
        raise Refusal("not_a_village", _("请选到行政村"), field="village")
    if cadre is None:
        row = VillageCadre(pk=allocate_ids(VillageCadre, 1)[0])
    else:
        row = VillageCadre.objects.select_for_update().get(pk=cadre.pk)
        _may_keep(by, row.village_id)
    row.village, row.name, row.post = village, facts.name, facts.post
    row.valid_from, row.valid_to, row.changed_at = facts.valid_from, facts.valid_to, timezone.now()
    for name, kind in _NUMBERS.items():
        value = getattr(facts, name)
        if value:
            setattr(row, f"{name}_cipher", encrypt(value, field=f"village_cadre.{name}", owner=row.pk))
            setattr(row, f"{name}_hash", blind_index(value, kind=kind))
    try:
        with transaction.atomic():
            row.save(force_insert=cadre is None)
    except IntegrityError as error:
        if "village_cadre_once_in_office" not in str(error):
            raise
        raise Refusal("twice", _("这名干部已登记在本村的同一职务上"), field="number") from error
    if relatives is not None:
        _write_relatives(row, relatives)
    verb = "village_cadres.add" if cadre is None else "village_cadres.edit"
    record(verb, by=by, target=row, area=row.village_id, relatives=len(relatives or ()))
    return row


def _write_relatives(cadre: VillageCadre, relatives: Sequence[RelativeFacts]) -> None:
    stored = {row.pk: row for row in cadre.relatives.all()}
    cadre.relatives.exclude(pk__in=[each.stored for each in relatives if each.stored]).delete()
    for facts in relatives:
        is_new = facts.stored not in stored
        row = CadreRelative(pk=allocate_ids(CadreRelative, 1)[0]) if is_new else stored[facts.stored]  # type: ignore[index]
        row.cadre, row.relation, row.name = cadre, facts.relation, facts.name
        if facts.number:
            row.number_cipher = encrypt(facts.number, field="cadre_relative.number", owner=row.pk)
            row.number_hash = blind_index(facts.number, kind="id")
        try:
            with transaction.atomic():
                row.save(force_insert=is_new)
        except IntegrityError as error:
            if "cadre_relative_number_once" not in str(error):
                raise
            raise Refusal("relative_twice", _("同一亲属填写了两次")) from error


@transaction.atomic
def remove_cadre(*, cadre: VillageCadre, by: User) -> None:
    """Take a cadre who was entered wrongly off the register, relatives too; the history keeps the rows for the undo.

    Who left office stays, with the last day in office.
    """
    _may_keep(by, cadre.village_id)
    record("village_cadres.remove", by=by, target=cadre, area=cadre.village_id)
    cadre.relatives.all().delete()
    VillageCadre.objects.filter(pk=cadre.pk).delete()


@transaction.atomic
def restore_cadre(*, pk: int, by: User) -> VillageCadre:
    """Put a removed cadre back as it was, within the hour. Raises DoesNotExist for what was not removed here."""
    removed = _removed(VillageCadre, pgh_obj_id=pk).first()
    if removed is None or not covers(by, "manage_village_cadres", removed.village_id):
        raise VillageCadre.DoesNotExist
    if removed.pgh_created_at < timezone.now() - UNDO_FOR:
        raise Refusal("too_late", _("只能撤销一小时之内的移除"))
    if VillageCadre.objects.filter(pk=pk).exists():
        raise Refusal("there", _("这名干部已在登记册上"))
    try:
        with transaction.atomic():
            row = _put_back(VillageCadre, removed)
    except IntegrityError as error:
        raise Refusal("twice", _("这名干部已登记在本村的同一职务上")) from error
    for relative in _removed(CadreRelative, cadre_id=pk, pgh_created_at=removed.pgh_created_at):
        _put_back(CadreRelative, relative)
    record("village_cadres.restore", by=by, target=row, area=row.village_id)
    return row


def _removed(model: Any, **which: Any) -> Any:
    return model.pgh_event_model.objects.filter(pgh_label="delete", **which).order_by("-pgh_id")


def _put_back(model: Any, event: Any) -> Any:
    row = model(**{column.attname: getattr(event, column.attname) for column in model._meta.concrete_fields})
    row.save(force_insert=True)
    return row


# -- from a workbook ------------------------------


@dataclass(frozen=True)
class RefusedRow:
    """Where a row is wrong and why, in words."""

    row: int
    column: str
    reason: str


@dataclass
class ImportSummary:
    """Rows: read = accepted + refused_rows. `cadres`: written, new or known; `relatives`: named by the rows taken."""

    read: int = 0
    accepted: int = 0
    cadres: int = 0
    relatives: int = 0
    refused: list[RefusedRow] = field(default_factory=list)

    @property
    def refused_rows(self) -> int:
        return len({each.row for each in self.refused})


def import_cadres(*, source: BinaryIO, by: User) -> ImportSummary:
    """Take in the good rows of a workbook; the others are named with column and reason. A cadre is known by village and
    number, else by village and name; empty cells clear nothing. Raises Refusal when the workbook as a whole is not
    taken."""
    summary = ImportSummary()
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(source, file)
        file.seek(0)
        try:
            book = open_workbook(file, [facts_of.layout()], LIMITS)
        except WorkbookRefused as refused:
            raise Refusal(refused.code, workbook_message(refused), field="file") from refused
        with book:
            kept = book.tables[SHEET]
            rows = [(row.number, _cells(row, kept.columns)) for row in book.rows(SHEET)]
    if not rows:
        raise Refusal("workbook-empty", _("工作簿里没有任何一行"), field="file")
    summary.read = len(rows)
    _Import(summary, by).run(rows)
    return summary


def _cells(row: Any, columns: Mapping[str, int]) -> dict[str, Any]:
    return {name: row.cell(index) for name, index in columns.items()}


class _Import:
    def __init__(self, summary: ImportSummary, by: User) -> None:
        self.summary, self.by = summary, by
        self.written: set[int] = set()

    @transaction.atomic
    def run(self, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        codes = {facts_of.cell_text(cells.get("village")) for _number, cells in rows}
        wanted = [int(code) for code in codes if code.isdecimal() and len(code) == 12]
        villages = {one.code: one for one in Division.objects.current().villages().filter(code__in=wanted)}
        for number, cells in rows:
            problems = self._take(cells, villages)
            self.summary.refused += [RefusedRow(number, column, reason) for column, reason in problems]
            self.summary.accepted += not problems
        self.summary.cadres = len(self.written)
        record(
            "village_cadres.import", by=self.by, read=self.summary.read, accepted=self.summary.accepted,
            cadres=self.summary.cadres,
        )  # fmt: skip

    def _take(self, cells: Mapping[str, Any], villages: Mapping[int, Division]) -> list[tuple[str, str]]:
        texts = facts_of.row_facts(cells)
        code = texts.get("village", "")
        village = villages.get(int(code)) if code.isdecimal() else None
        if village is None or not covers(self.by, "manage_village_cadres", village.code):
            return [("村编码", _("不是本县的行政村编码（12 位）"))]
        facts, relative, problems = read_facts(texts, cells)
        if problems or facts is None:
            return problems
        known = self._known(village, facts)
        try:
            cadre = save_cadre(
                cadre=known, village=village, facts=_with_stored(facts, known), by=self.by,
                relatives=self._relatives(known, relative),
            )  # fmt: skip
        except Refusal as refusal:
            return [("证件号码", refusal.message)]
        self.written.add(cadre.pk)
        self.summary.relatives += relative is not None
        return []

    def _known(self, village: Division, facts: CadreFacts) -> VillageCadre | None:
        here = VillageCadre.objects.filter(village=village)
        if facts.number:
            by_number = here.filter(number_hash=blind_index(facts.number, kind="id")).order_by("pk").last()
            return by_number or here.filter(name=facts.name, number_hash=None).first()
        return here.filter(name=facts.name).order_by("pk").last()

    def _relatives(self, known: VillageCadre | None, new: RelativeFacts | None) -> list[RelativeFacts] | None:
        """Those stored, and the one of the row: the same number, else the same name without one, is the same."""
        if new is None:
            return None
        stored = list(known.relatives.all()) if known else []
        kept = [RelativeFacts(row.relation, row.name, stored=row.pk) for row in stored]
        hashed = blind_index(new.number, kind="id")
        for place, row in enumerate(stored):
            same_number = hashed is not None and row.number_hash is not None and bytes(row.number_hash) == hashed
            if same_number or (row.name == new.name and (hashed is None or row.number_hash is None)):
                kept[place] = RelativeFacts(new.relation, new.name, new.number, stored=row.pk)
                return kept
        return [*kept, new]


def read_facts(
    texts: Mapping[str, str], cells: Mapping[str, Any]
) -> tuple[CadreFacts | None, RelativeFacts | None, list[tuple[str, str]]]:
    """A row in facts, or (column, reason) of everything that is wrong with it."""
    problems: list[tuple[str, str]] = []

    def number(name: str, column: str, clean: Any, reason: str) -> str | None:
        text = texts.get(name, "")
        cleaned = clean(text) if text else None
        if text and cleaned is None:
            problems.append((column, reason))
        return cleaned  # type: ignore[no-any-return]

    def day(name: str, column: str) -> Any:
        try:
            return facts_of.read_day(cells.get(name))
        except ValueError:
            problems.append((column, _("日期应写成 2026-03-01 的样子")))
            return None

    labels = {str(label): value for value, label in VillageCadre.Post.choices}
    posts = {**{value: value for value in VillageCadre.Post.values}, **labels}
    post = posts.get(texts.get("post", ""))
    if not texts.get("name"):
        problems.append(("姓名", _("姓名没有填写")))
    if post is None:
        problems.append(("村内职务", _("职务不在可选范围之内，见模板")))
    wrong_number = _("证件号码不正确")
    facts = CadreFacts(
        name=texts.get("name", "")[:60],
        post=post or "",
        number=number("number", "证件号码", facts_of.clean_number, wrong_number),
        phone=number("phone", "联系电话", facts_of.clean_phone, _("电话号码不正确")),
        account=number("account", "银行账号", facts_of.clean_account, _("银行账号应为 8 至 30 位数字")),
        valid_from=day("valid_from", "任职起"),
        valid_to=day("valid_to", "任职止"),
    )
    if facts.valid_from and facts.valid_to and facts.valid_to < facts.valid_from:
        problems.append(("任职止", _("不能早于任职起")))
    relative = None
    if texts.get("relation") or texts.get("relative_name") or texts.get("relative_number"):
        if texts.get("relation") not in CadreRelative.RELATIONS:
            problems.append(("与干部关系", _("关系不在可选范围之内，见模板")))
        if not texts.get("relative_name"):
            problems.append(("亲属姓名", _("亲属姓名没有填写")))
        relative = RelativeFacts(
            texts.get("relation", ""),
            texts.get("relative_name", "")[:60],
            number("relative_number", "亲属证件号码", facts_of.clean_number, wrong_number),
        )
    return facts, relative, problems


def _with_stored(facts: CadreFacts, known: VillageCadre | None) -> CadreFacts:
    """An empty cell clears no day that is stored."""
    if known is None:
        return facts
    return CadreFacts(
        facts.name, facts.post, facts.number, facts.phone, facts.account,
        facts.valid_from or known.valid_from, facts.valid_to or known.valid_to,
    )  # fmt: skip


def _may_keep(by: User, village: int) -> None:
    if not covers(by, "manage_village_cadres", village):
        raise PermissionDenied("manage_village_cadres")
