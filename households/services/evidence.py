"""Evidence photos of a card: added, taken off, put back.

A photo is decoded and encoded anew before anything is written (domain.photo): place, camera and owner stay behind.
What is kept is encrypted and bound to its row. Nothing is deleted; taking off needs a reason and can be undone.
"""

import hashlib
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import acting, record
from changde.bulk import allocate_ids
from changde.crypto.cipher import encrypt_bytes
from households.domain import photo as photos
from households.domain.id_number import long_number
from households.domain.photo import Photo, PhotoRefused
from households.messages import photo_message
from households.models import Evidence, EvidenceContent, Household
from households.models.evidence import PHOTO, THUMBNAIL


def add(
    *,
    household: Household,
    year: int,
    kind: str,
    content: bytes,
    by: User,
    caption: str = "",
    taken: datetime | None = None,
    client_key: UUID | None = None,
) -> Evidence:
    """Take in one photo of a household's year. The same `client_key` again is the same photo, sent again.

    `taken` is what the phone says; the camera's own word in the file goes before. Raises Refusal with its field.
    """
    _may_edit(by, household)
    sent = _sent_before(household, client_key)
    if sent is not None:
        return sent
    caption = _plain(caption, "caption")
    _room(household, year)  # before the picture costs anything; asked again under the lock
    try:
        photo = photos.take_in(content, largest=settings.EVIDENCE_MAX_BYTES)
    except PhotoRefused as refused:
        raise Refusal(refused.code, photo_message(refused), field="photo") from refused
    try:
        with acting(by), transaction.atomic():
            _lock(household)
            return _sent_before(household, client_key) or _write(
                household, year, kind, caption, _taken(photo, taken), client_key, photo, by
            )
    except IntegrityError as error:
        raise Refusal("evidence_twice", _("这张照片本户本年度已经有了"), field="photo") from error


def _write(
    household: Household,
    year: int,
    kind: str,
    caption: str,
    taken: datetime | None,
    client_key: UUID | None,
    photo: Photo,
    by: User,
) -> Evidence:
    _room(household, year)
    (pk,) = allocate_ids(Evidence, 1)
    evidence = Evidence.objects.create(
        pk=pk,
        household=household,
        year=year,
        kind=kind,
        caption=caption,
        client_key=client_key,
        digest=hashlib.sha256(photo.full).hexdigest(),
        size=len(photo.full),
        width=photo.width,
        height=photo.height,
        taken_at=taken,
        uploaded_by=by,
    )
    EvidenceContent.objects.create(
        evidence=evidence,
        photo_cipher=encrypt_bytes(photo.full, field=PHOTO, owner=pk),
        thumbnail_cipher=encrypt_bytes(photo.thumbnail, field=THUMBNAIL, owner=pk),
    )
    _record("households.add_evidence", evidence, household, by)
    evidence.refresh_from_db(fields=["uploaded_at"])
    return evidence


@transaction.atomic
def remove(*, evidence: Evidence, reason: str, by: User) -> Evidence:
    """Take a photo off the card, with a reason; its row stays."""
    _may_edit(by, evidence.household)
    reason = _plain(reason, "reason")
    if not reason:
        raise Refusal("reason_missing", _("请写明原因"), field="reason")
    with acting(by):
        locked = Evidence.objects.select_for_update().get(pk=evidence.pk)
        if locked.removed_at is None:
            locked.removed_at, locked.removed_by, locked.removed_reason = timezone.now(), by, reason
            locked.save(update_fields=["removed_at", "removed_by", "removed_reason"])
            _record("households.remove_evidence", locked, evidence.household, by)
    return locked


def restore(*, evidence: Evidence, by: User) -> Evidence:
    """Put a photo back that was taken off; refused when there is no room, or the same photo was added meanwhile."""
    household = evidence.household
    _may_edit(by, household)
    try:
        with acting(by), transaction.atomic():
            _lock(household)
            locked = Evidence.objects.select_for_update().get(pk=evidence.pk)
            if locked.removed_at is not None:
                _room(household, locked.year)
                locked.removed_at, locked.removed_by, locked.removed_reason = None, None, ""
                locked.save(update_fields=["removed_at", "removed_by", "removed_reason"])
                _record("households.restore_evidence", locked, household, by)
            return locked
    except IntegrityError as error:
        raise Refusal("evidence_twice", _("这张照片本户本年度已经有了")) from error


def _may_edit(by: User, household: Household) -> None:
    if not covers(by, "edit_cards", household.village_id):
        raise Refusal("not_your_area", _("该户不在您的辖区内，不能录入或修改"))


def _lock(household: Household) -> None:
    """Photos of one card are counted and written one after the other."""
    Household.objects.select_for_update().get(pk=household.pk)


def _sent_before(household: Household, client_key: UUID | None) -> Evidence | None:
    return Evidence.objects.filter(household=household, client_key=client_key).first() if client_key else None


def _room(household: Household, year: int) -> None:
    most = settings.EVIDENCE_MAX_PHOTOS
    if Evidence.objects.kept().filter(household=household, year=year).count() >= most:
        raise Refusal(
            "evidence_full",
            _("本户 %(year)s 年度已有 %(most)s 张照片，达到上限；先移除不用的再添加") % {"year": year, "most": most},
            field="photo",
        )


def _plain(text: str, field: str) -> str:
    """One line without numbers of people: captions and reasons stand open in the database."""
    text = " ".join(text.split())[:200]
    if long_number(text):
        raise Refusal("text_has_number", _("这里不要写证件号码、电话或账号"), field=field)
    return text


def _taken(photo: Photo, said: datetime | None) -> datetime | None:
    """The camera's time, else the phone's; a time yet to come says nothing."""
    taken = timezone.make_aware(photo.taken) if photo.taken else said
    return taken if taken is not None and taken.year > 2000 and taken <= timezone.now() else None


def _record(verb: str, evidence: Evidence, household: Household, by: User) -> None:
    record(
        verb,
        by=by,
        target=household,
        area=household.village_id,
        evidence=evidence.pk,
        photo_kind=str(evidence.kind),
        year=evidence.year,
    )
