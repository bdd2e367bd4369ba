"""What the pages of imports read."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from changde.accounts.models import User
from changde.web.keyset import KeysetPage
from households.models import ImportBatch


def batches(user: User, parameters: Mapping[str, Any]) -> KeysetPage:
    """The workbooks one brought, and those of one's area, newest first; without their files."""
    found = ImportBatch.objects.visible_to(user).defer("file_cipher").select_related("owner")
    return KeysetPage(found, parameters, order=["-id"])


def batch_of(user: User) -> QuerySet[ImportBatch]:
    """Batches one may open, without their files."""
    return ImportBatch.objects.visible_to(user).defer("file_cipher").select_related("owner", "job")


def problems(batch: ImportBatch, outcome: str, parameters: Mapping[str, Any]) -> KeysetPage:
    """Why households of the batch were refused or wait, in the order of the workbook."""
    return KeysetPage(batch.problems.filter(outcome=outcome), parameters, order=["id"])


def earlier_same(batch: ImportBatch) -> ImportBatch | None:
    """The same file brought before by the same person and written."""
    same: Iterable[ImportBatch] = ImportBatch.objects.filter(
        digest=batch.digest, owner=batch.owner, pk__lt=batch.pk, state=ImportBatch.State.DONE
    ).defer("file_cipher")[:1]
    return next(iter(same), None)
