"""A village's cards as one file for printing: asked for with a reason, made in the background, kept a week.

Only who asked fetches it, and only while the area is still theirs. The file is encrypted; asking and fetching are
exports of the log. Memory stays flat however large the village is: cards are laid out PART at a time, and a village
of more than one part comes as a zip of PDF files.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from tempfile import TemporaryFile
from typing import Any
from zipfile import ZIP_STORED, ZipFile

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record, record_export
from changde.crypto.cipher import encrypt_bytes
from changde.divisions.models import Division
from changde.jobs.models import Job
from changde.jobs.services import enqueue
from households import paper
from households.domain.id_number import long_number
from households.models import Printout
from households.models.printout import FILE
from households.selectors.paper import PaperCard, cards_to_print, paper_cards

JOB = "print_cards"
KEEP = timedelta(days=7)
PART = 50  # cards in memory at once
BATCH = 25  # cards read at once
PDF, ZIP = "application/pdf", "application/zip"

Progress = Callable[[int, int], None]


@transaction.atomic
def ask(*, village: Division, kind: str, year: int, reason: str, by: User) -> Printout:
    """Have the cards of a village made into one file. Raises Refusal with its field."""
    if not covers(by, "read_cards", village.code):
        raise Refusal("not_your_area", _("该村不在您的辖区内"))
    if not paper.can_print():
        raise Refusal("no_pango", paper.no_pango())
    reason = " ".join(reason.split())
    if not reason:
        raise Refusal("reason_missing", _("请写明用途"), field="reason")
    if long_number(reason):
        raise Refusal("text_has_number", _("这里不要写证件号码、电话或账号"), field="reason")
    cards = cards_to_print(by, village.code, kind).count()
    if not cards:
        raise Refusal("nothing_to_print", _("该村没有符合条件的户卡"), field="kind")
    if cards > settings.PRINT_MAX_CARDS:
        raise Refusal(
            "too_many_cards",
            _("共 %(cards)s 户，一次最多打印 %(most)s 户") % {"cards": cards, "most": settings.PRINT_MAX_CARDS},
            field="kind",
        )
    forget_expired()
    printout = Printout.objects.create(
        owner=by, area=village.code, kind=kind, year=year, reason=reason[:200], cards=cards
    )
    record_export(
        "households.ask_printout", by=by, target=printout, area=village.code, cards=cards, year=year, which=str(kind)
    )
    printout.job = enqueue(JOB, by=by, area=village.code, parameters={"printout": printout.pk}, total=cards)
    printout.save(update_fields=["job"])
    return printout


def make(*, printout: Printout, progress: Progress | None = None) -> Printout:
    """Lay the cards out and keep the file; rights are those the owner has now."""
    owner, village = printout.owner, Division.objects.get(code=printout.area)
    if not covers(owner, "read_cards", village.code):
        raise Refusal("not_your_area", _("该村不在您的辖区内"))
    chosen = list(cards_to_print(owner, village.code, printout.kind).values_list("pk", flat=True))
    if not chosen:
        raise Refusal("nothing_to_print", _("该村没有符合条件的户卡"))
    printed = paper.Printed(by=owner.display_name, at=timezone.now(), reason=printout.reason)
    made = _Made(len(chosen), progress)
    with TemporaryFile() as file:
        name = _write(file, village, printout, chosen, printed, made)
        file.seek(0)
        content = file.read()
    with transaction.atomic():
        locked = Printout.objects.select_for_update().get(pk=printout.pk)
        locked.file_cipher = encrypt_bytes(content, field=FILE, owner=locked.pk)
        locked.file_name, locked.size, locked.cards, locked.pages = name, len(content), made.cards, made.pages
        locked.expires_at = timezone.now() + KEEP
        locked.save()
        record(
            "households.make_printout", by=owner, target=locked, area=locked.area, cards=made.cards, pages=made.pages
        )
    return locked


class _Made:
    """How far it is; told after every card, which is also where a cancelled job stops."""

    def __init__(self, total: int, progress: Progress | None):
        self.cards, self.pages, self.total, self._progress = 0, 0, total, progress

    def card(self) -> None:
        self.cards += 1
        if self._progress:
            self._progress(self.cards, self.total)


def _write(
    file: Any, village: Division, printout: Printout, chosen: list[int], printed: paper.Printed, made: _Made
) -> str:
    """Write the PDF, or the zip of several, into `file`; the name the person sees."""
    sheets = paper.Sheets()
    name = _("%(village)s_%(year)s年度户卡") % {"village": village.name, "year": printout.year}
    several = len(chosen) > PART
    archive = ZipFile(file, "w", ZIP_STORED) if several else None
    for number, part in enumerate(paper.parts(_cards(printout, chosen), PART), 1):
        pdf, pages = paper.join(part, printed, sheets, made.card)
        made.pages += pages
        if archive:
            archive.writestr(f"{name}_{number:02d}.pdf", pdf)
        else:
            file.write(pdf)
    if archive:
        archive.close()
    return f"{name}.{'zip' if several else 'pdf'}"


def _cards(printout: Printout, chosen: list[int]) -> Iterator[PaperCard]:
    """The chosen cards in their order; one that left the village meanwhile is left out."""
    for batch in paper.parts(chosen, BATCH):
        rows = cards_to_print(printout.owner, printout.area, printout.kind).in_bulk(batch)
        yield from paper_cards(printout.owner, [rows[pk] for pk in batch if pk in rows], printout.year)


@transaction.atomic
def fetch(*, printout: Printout, by: User) -> bytes:
    """The file, for who asked for it; each fetching is an export of the log."""
    content = printout.content
    if printout.owner_id != by.pk or content is None:
        raise Refusal("file_gone", _("文件已过期删除，请重新生成"))
    Printout.objects.filter(pk=printout.pk).update(downloaded_at=timezone.now())
    record_export("households.fetch_printout", by=by, target=printout, area=printout.area, cards=printout.cards)
    return content


def forget_expired() -> int:
    """Drop the files whose week is over; their rows stay."""
    return Printout.objects.filter(expires_at__lt=timezone.now(), file_cipher__isnull=False).update(file_cipher=None)


def broke_off(printout: Printout) -> bool:
    """Whether the job ended without a file."""
    return printout.expires_at is None and (printout.job is None or printout.job.state in _ENDED)


_ENDED = (Job.State.FAILED, Job.State.CANCELLED)
