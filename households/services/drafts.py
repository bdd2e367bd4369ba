"""Drafts of cards: kept while somebody types, discarded, restored, forgotten.

Keeping leaves no audit event: it happens every few seconds, nobody but the owner ever sees the row, and the save that
ends it is logged. Discarding, restoring and forgetting are logged.
"""

import json
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.bulk import allocate_ids
from households.models import CardDraft, Household

MOST_BYTES = 400_000

# Names and values of the controls as a form would post them; a name may come several times.
Content = Sequence[tuple[str, str]]


class DraftChangedElsewhere(Refusal):
    """Another page of the same person kept this draft meanwhile: what is typed here must become a draft of its own."""

    def __init__(self) -> None:
        super().__init__("draft_changed", _("同一份草稿在另一个页面也改过"))


class CardSaved(Refusal):
    """The card this form enters stands already: there is nothing left to draft."""

    def __init__(self) -> None:
        super().__init__("card_saved", _("这张户卡已经保存"))


@transaction.atomic
def keep_draft(
    *,
    by: User,
    client_key: uuid.UUID,
    content: Content,
    writer: uuid.UUID,
    sequence: int,
    seen: int = 0,
    household: Household | None = None,
    village: int | None = None,
    year: int | None = None,
    base_version: int | None = None,
) -> CardDraft:
    """Keep what stands in the form now, raw, right or wrong; the same sending twice changes nothing.

    `writer` is the opened page, `sequence` counts its sendings, `seen` is the revision the page was opened with.
    A discarded draft that is typed on comes back. Raises Refusal: DraftChangedElsewhere, CardSaved, draft_too_large.
    """
    text = json.dumps(list(content), ensure_ascii=False)
    if len(text.encode()) > MOST_BYTES:
        raise Refusal("draft_too_large", _("内容太长，草稿存不下"))
    if household is None and Household.objects.filter(client_key=client_key).exists():
        raise CardSaved
    fresh = CardDraft(pk=allocate_ids(CardDraft, 1)[0], owner=by, client_key=client_key, household=household)
    CardDraft.objects.bulk_create([fresh], ignore_conflicts=True)
    draft = CardDraft.objects.select_for_update().get(owner=by, client_key=client_key)
    if draft.writer == writer:
        if sequence <= draft.sequence:
            return draft
    elif draft.revision > seen:
        raise DraftChangedElsewhere
    place = household.village_id if household else village
    draft.village_id = place if place and covers(by, "edit_cards", place) else None
    draft.year, draft.base_version = year, base_version if draft.household_id else None
    draft.hold(text)
    draft.writer, draft.sequence, draft.revision = writer, sequence, draft.revision + 1
    draft.changed_at, draft.discarded_at = timezone.now(), None
    draft.save()
    return draft


@transaction.atomic
def discard_draft(*, draft: CardDraft, by: User) -> None:
    """Put a draft aside; it can be taken back for a week."""
    draft.discarded_at = timezone.now()
    draft.save(update_fields=["discarded_at"])
    record("households.discard_draft", by=by, target=draft, area=draft.village_id)


@transaction.atomic
def restore_draft(*, draft: CardDraft, by: User) -> None:
    """Take a discarded draft back."""
    draft.discarded_at = None
    draft.save(update_fields=["discarded_at"])
    record("households.restore_draft", by=by, target=draft, area=draft.village_id)


@transaction.atomic
def forget_old_drafts() -> int:
    """Delete what is over time (models.draft says when); how many."""
    count, _by_model = CardDraft.objects.over_time().delete()
    if count:
        record("households.forget_drafts", by=None, count=count)
    return count
