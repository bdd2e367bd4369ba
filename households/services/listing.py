"""How a person looks at lists: chosen columns of cards, kept filters of cards and leads."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from households import columns as known
from households.models import ColumnChoice, SavedFilter
from households.models.listing import UNDO_FOR

MOST_FILTERS = 50


@transaction.atomic
def choose_columns(*, by: User, columns: Sequence[str]) -> ColumnChoice:
    """Remember the columns of the list for this person; none at all means the standard ones."""
    names = [column.name for column in known.named(columns)] or list(known.STANDARD)
    choice, _created = ColumnChoice.objects.update_or_create(user=by, defaults={"columns": names})
    record("households.choose_columns", by=by, target=choice, columns=names)
    return choice


@transaction.atomic
def keep_filter(
    *, by: User, area: int, name: str, query: str, shared: bool = False, listing: str = SavedFilter.Listing.CARDS
) -> SavedFilter:
    """Keep a filter of a list under a name. Raises Refusal when nothing is filtered or the name is taken."""
    if not query:
        raise Refusal("nothing_filtered", _("没有筛选条件，无需保存；请先选好条件"), field="name")
    if SavedFilter.objects.kept().filter(owner=by).count() >= MOST_FILTERS:
        raise Refusal(
            "too_many", _("最多保存 %(number)s 个常用筛选；请先删除不用的") % {"number": MOST_FILTERS}, field="name"
        )
    kept = SavedFilter(listing=listing, owner=by, area=area, name=_plain(name), query=query, shared=shared)
    _write(kept)
    record("households.keep_filter", by=by, target=kept, area=area, shared=shared, listing=listing)
    return kept


@transaction.atomic
def rename_filter(*, kept: SavedFilter, name: str, shared: bool, by: User) -> SavedFilter:
    """Give a kept filter another name, share it or keep it to oneself."""
    kept.name, kept.shared = _plain(name), shared
    _write(kept)
    record("households.rename_filter", by=by, target=kept, area=kept.area, shared=shared)
    return kept


@transaction.atomic
def delete_filter(*, kept: SavedFilter, by: User) -> None:
    """Take a kept filter off the list; restore_filter brings it back within UNDO_FOR."""
    old = SavedFilter.objects.filter(owner=by, deleted_at__lt=timezone.now() - UNDO_FOR)
    old.delete()
    kept.deleted_at = timezone.now()
    kept.save(update_fields=["deleted_at"])
    record("households.delete_filter", by=by, target=kept, area=kept.area)


@transaction.atomic
def restore_filter(*, kept: SavedFilter, by: User) -> SavedFilter:
    """Undo delete_filter. Raises Refusal when the name was given to another one meanwhile."""
    if kept.deleted_at is not None:
        kept.deleted_at = None
        _write(kept)
        record("households.restore_filter", by=by, target=kept, area=kept.area)
    return kept


def _plain(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Refusal("name_missing", _("请给这个筛选起个名称"), field="name")
    if len(name) > 40:
        raise Refusal("name_long", _("名称最多 40 个字"), field="name")
    return name


def _write(kept: SavedFilter) -> None:
    try:
        with transaction.atomic():
            kept.save()
    except IntegrityError as error:
        if "saved_filter_name_once" not in str(error):
            raise
        raise Refusal("name_taken", _("您已有同名的常用筛选，请换个名称"), field="name") from None
