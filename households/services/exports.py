"""Cards as a file: ordered with a reason, made by a job, kept encrypted for a week, fetched by who asked alone.

What leaves: the list as its page shows it, or whole cards in the national layout to be corrected and imported again;
names in full, numbers of people masked, never a formula. Each export is two entries of the log that name reason, rows
and format, and one more for every download.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import QueryDict
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record, record_export
from changde.bulk import allocate_ids
from changde.crypto.cipher import encrypt_bytes
from changde.divisions.models import Division
from changde.jobs.services import enqueue
from changde.web.badges import badge_for
from households.columns import Column, named
from households.domain.fields import HOUSEHOLD_SHEET, MEMBER_SHEET
from households.domain.workbook import Page, write
from households.models import CardExport, Household, HouseholdStatus, Membership, Person
from households.selectors.card_list import CardList, card_list
from households.services import card_pages
from households.services.card_rows import load_latest_cards

JOB = "export_cards"
KEPT_FOR = timedelta(days=7)
CHUNK = 200
_NUMBER_OF_A_PERSON = re.compile(r"(?<!\d)(\d{17}[\dXx]|\d{15}|1\d{10})(?![\dXx])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Progress = Callable[[int, int], None]


def listed(export: CardExport) -> CardList:
    """The list the export was asked from, as its owner may see it now."""
    area = Division.objects.get(code=export.area)
    return card_list(export.owner, area, QueryDict(export.query))


def count_within_limit(cards: CardList) -> int:
    """How many households would be exported. Raises Refusal when none or more than EXPORT_ROW_LIMIT."""
    limit = settings.EXPORT_ROW_LIMIT
    counted = cards.cards.order_by()[: limit + 1].count()
    if counted > limit:
        raise Refusal(
            "too_many_rows",
            _("符合条件的户数超过一次导出的上限 %(limit)s 户。请按乡镇、村或其他条件缩小范围后再导出。")
            % {"limit": f"{limit:,}"},
        )
    if not counted:
        raise Refusal("nothing_to_export", _("没有符合条件的户卡，没有可导出的内容"))
    return counted


@transaction.atomic
def order_export(*, by: User, area: int, query: str, columns: Sequence[str], format: str, reason: str) -> CardExport:
    """Ask for a file of the list `query` of the division `area`; a job makes it.

    `reason` says what the file is for; it stands on the file and in the log, so it must not hold numbers of people.
    Raises Refusal: a missing or unfit reason, nothing to export, more rows than one file may hold.
    """
    reason = " ".join(reason.split())
    if len(reason) < 4:
        raise Refusal("reason_missing", _("请写明用途（至少 4 个字），它会印在文件上并记入日志"), field="reason")
    if _NUMBER_OF_A_PERSON.search(reason):
        raise Refusal("reason_holds_number", _("用途会记入日志，请不要写证件号码或电话"), field="reason")
    forget_expired()
    (pk,) = allocate_ids(CardExport, 1)
    export = CardExport(pk=pk, owner=by, area=area, query=query, columns=list(columns), format=format, reason=reason)
    rows = count_within_limit(listed(export))
    export.save(force_insert=True)
    record("households.order_export", by=by, target=export, area=area, format=format, rows=rows, reason=reason)
    export.job = enqueue(JOB, by=by, area=area, parameters={"export": pk}, total=rows)
    export.save(update_fields=["job"])
    return export


def make_export(*, export: CardExport, progress: Progress | None = None) -> CardExport:
    """Write the file, in the owner's language, and keep it encrypted. The rows are those the owner may see now.

    Raises Refusal: the right to export this area was taken away, or the list has grown or emptied meanwhile.
    """
    if not covers(export.owner, "export_cards", export.area):
        raise Refusal("not_your_area", _("您已不再有导出该辖区户卡的权限"))
    with translation.override(export.owner.language):
        return _make(export, progress)


def _make(export: CardExport, progress: Progress | None) -> CardExport:
    cards = listed(export)
    expected = count_within_limit(cards)
    made_at = timezone.now()
    about = _about(export, cards, made_at)
    if export.format == CardExport.Format.CARDS:
        content, counted = _card_workbook(cards, about, expected, progress)
    else:
        columns = named(export.columns)
        rows = _rows(cards, columns, expected, progress)
        headers = [
            _("行政村"),
            _("户主"),
            _("户主证件号码（遮盖）"),
            _("联系电话（遮盖）"),
            *(one.label for one in columns),
        ]
        write_list = _workbook if export.format == CardExport.Format.XLSX else _csv
        content, counted = write_list(export, about, headers, rows)
    with transaction.atomic():
        CardExport.objects.filter(pk=export.pk).update(
            rows=counted,
            size=len(content),
            file_cipher=encrypt_bytes(content, field="export.file", owner=export.pk),
            made_at=made_at,
            expires_at=made_at + KEPT_FOR,
        )
        record_export(
            "households.export_cards",
            by=export.owner,
            target=export,
            area=export.area,
            format=export.format,
            rows=counted,
            reason=export.reason,
        )
    export.refresh_from_db()
    return export


@transaction.atomic
def fetch_export(*, export: CardExport, by: User) -> bytes:
    """The file, for who asked; each time an event of the log. Raises Refusal when it is not there (any more)."""
    content = export.content
    if content is None:
        raise Refusal("no_file", _("文件已按期删除或尚未生成；如仍需要，请重新导出"))
    CardExport.objects.filter(pk=export.pk).update(fetched=F("fetched") + 1)
    record_export("households.fetch_export", by=by, target=export, area=export.area, rows=export.rows)
    return content


def forget_expired() -> int:
    """Delete the files whose week is over; the rows stay. Returns how many."""
    old = CardExport.objects.filter(file_cipher__isnull=False, expires_at__lte=timezone.now())
    return old.update(file_cipher=None)


# -- what stands in the file -------------------------------------------------------------------------------------------


def _about(export: CardExport, cards: CardList, made_at: Any) -> list[tuple[str, str]]:
    """The watermark: who, when, why, what; the first sheet of the workbook, the first lines of the text."""
    filters = "；".join(f"{label}：{value}" for _name, label, value in cards.on) or _("无")
    area = " ".join(division.name for division in cards.division.path()) if cards.division else ""
    return [
        (_("导出人"), f"{export.owner.display_name}（{export.owner.username}）"),
        (_("导出时间"), f"{timezone.localtime(made_at):%Y-%m-%d %H:%M}"),
        (_("用途"), export.reason),
        (_("范围"), area),
        (_("年度"), str(cards.year or _("无"))),
        (_("筛选条件"), filters),
        (_("导出编号"), str(export.pk)),
        (_("注意"), _("含群众个人信息，仅限上述用途，不得转发、公开；证件号码和电话已遮盖。")),
    ]


def _rows(cards: CardList, columns: Sequence[Column], expected: int, progress: Progress | None) -> Iterator[list[Any]]:
    for rows in _pages(cards, expected, progress):
        heads = _heads(rows)
        for card in rows:
            head = heads.get(card.pk)
            yield [
                card.village.name,
                card.head_name,
                head.masked_id_number if head else "",
                card.masked_phone or (head.masked_phone if head else ""),
                *(_cell(column, column.value(card)) for column in columns),
            ]


def _pages(cards: CardList, expected: int, progress: Progress | None) -> Iterator[Sequence[Household]]:
    after, done = "", 0
    while True:
        page = cards.page({"after": after}, size=CHUNK)
        yield page.rows
        done += len(page.rows)
        if progress:
            progress(min(done, expected), expected)
        after = page.next
        if not after or done > settings.EXPORT_ROW_LIMIT:
            return


def _heads(cards: Sequence[Household]) -> dict[int, Person]:
    rows = Membership.objects.open().filter(household__in=cards, relation=Membership.HEAD).select_related("person")
    return {row.household_id: row.person for row in rows}


def _cell(column: Column, value: Any) -> Any:
    """A figure stays a figure; everything else becomes words."""
    if value is None or value == "" or value == []:
        return None
    if column.is_figure:
        return float(value) if column.kind == "money" else value
    if column.kind == "moment":
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
    if column.kind == "status":
        return str(HouseholdStatus(value).label)
    if column.kind == "outcome":
        return str(badge_for("outcome", value).label)
    if column.kind == "flags":
        return "、".join(str(badge_for("flag", flag).label) for flag in value)
    if column.kind == "choice":
        return "、".join(_(each) for each in ([value] if isinstance(value, str) else value))
    return str(value)


def _workbook(
    export: CardExport, about: list[tuple[str, str]], headers: Sequence[str], rows: Iterator[list[Any]]
) -> tuple[bytes, int]:
    counted = 0

    def counting() -> Iterator[list[Any]]:
        nonlocal counted
        for row in rows:
            counted += 1
            yield row

    mark = " · ".join(value for _name, value in about[:3])
    file = io.BytesIO()
    write(
        file,
        [
            Page(_("导出说明"), [_("项目"), _("内容")], about, mark=mark, widths=(16, 90)),
            Page(_("户卡"), headers, counting(), mark=mark, widths=(16, 12, 24, 18)),
        ],
    )
    return file.getvalue(), counted


def _card_workbook(
    cards: CardList, about: list[tuple[str, str]], expected: int, progress: Progress | None
) -> tuple[bytes, int]:
    """The two sheets of the national layout, each card with its latest sheet; the explanation stands last."""
    counted, members = 0, list[list[Any]]()
    places: dict[int, dict[str, str]] = {}

    def households() -> Iterator[list[Any]]:
        nonlocal counted
        for rows in _pages(cards, expected, progress):
            known = load_latest_cards([row.pk for row in rows], whole=True)
            for row in rows:
                if row.village_id not in places:
                    places[row.village_id] = card_pages.names_of(row.village)
                card = known[row.pk].card
                counted += 1
                members.extend(card_pages.member_rows(card))
                yield card_pages.household_row(card, places[row.village_id])

    mark = " · ".join(value for _name, value in about[:3])
    again = (
        _("再导入"),
        _("改好后可从“导入户卡”上传：带星号的号码表示不改，空格不改，合计由系统计算；新成员请填完整号码。"),
    )
    file = io.BytesIO()
    write(
        file,
        [
            Page(sheet, card_pages.headers(sheet), rows, card_pages.allowed(sheet), mark=mark)
            for sheet, rows in ((HOUSEHOLD_SHEET, households()), (MEMBER_SHEET, members))
        ]
        + [Page(_("导出说明"), [_("项目"), _("内容")], [*about, again], mark=mark, widths=(16, 90))],
    )
    return file.getvalue(), counted


def _csv(
    export: CardExport, about: list[tuple[str, str]], headers: Sequence[str], rows: Iterator[list[Any]]
) -> tuple[bytes, int]:
    """With BOM, so that Excel reads it as UTF-8. The watermark stands above the table, each line after a #."""
    file = io.StringIO()
    out = csv.writer(file, lineterminator="\r\n")
    out.writerows([f"# {name}", _as_text(value)] for name, value in about)
    out.writerow(headers)
    counted = 0
    for row in rows:
        counted += 1
        out.writerow([_as_text(value) if isinstance(value, str) else value for value in row])
    return file.getvalue().encode("utf-8-sig"), counted


def _as_text(value: str) -> str:
    """A text that a spreadsheet would read as a formula gets an apostrophe in front."""
    return f"'{value}" if value.startswith(_FORMULA) else value
