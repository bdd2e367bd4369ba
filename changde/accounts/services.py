"""Accounts, posts and grants: who works where."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from changde.accounts.models import Grant, Post, User
from changde.audit.services import record
from changde.divisions.models import Division


@transaction.atomic
def create_user(*, username: str, name: str, password: str | None, by: User | None, is_client: bool = False) -> User:
    """A new account without any right. A client system has no usable password."""
    user = User(username=username, name=name, is_client=is_client)
    user.set_password(password)
    user.save()
    record("accounts.create", by=by, target=user)
    return user


@transaction.atomic
def open_post(*, user: User, role: str, division: Division, by: User | None, since: date | None = None) -> Post:
    """Give a role at a division. Opening the same post twice returns the open one."""
    post, created = Post.objects.get_or_create(
        user=user,
        role=role,
        division=division,
        valid_to=None,
        defaults={"valid_from": since or timezone.localdate(), "given_by": by},
    )
    if created:
        record("accounts.open_post", by=by, target=post, area=division.code, role=role, user=user.pk)
    return post


@transaction.atomic
def close_post(*, post: Post, by: User | None) -> Post:
    """Take a post away; the next request of the person already lacks it."""
    post.valid_to = max(timezone.localdate(), post.valid_from)
    post.save(update_fields=["valid_to"])
    record("accounts.close_post", by=by, target=post, area=post.division_id, role=post.role, user=post.user_id)
    return post


@transaction.atomic
def grant_household(*, user: User, household_id: int, area: int, reason: str, by: User | None) -> Grant:
    """Open one household to a person (a helper's pairing)."""
    grant, created = Grant.objects.get_or_create(
        user=user, household_id=household_id, valid_to=None, defaults={"reason": reason}
    )
    if created:
        record("accounts.grant_household", by=by, target=grant, area=area, user=user.pk, household=household_id)
    return grant


@transaction.atomic
def note_confirmed(*, user: User) -> None:
    """The log keeps when somebody confirmed the password before a download."""
    record("accounts.confirm_password", by=user, target=user)


@transaction.atomic
def choose_language(*, user: User, language: str) -> None:
    user.language = language
    user.save(update_fields=["language"])
    record("accounts.choose_language", by=user, target=user, language=language)
