"""Clients of the API: a county system's account, its post, and its OAuth application."""

from django.db import transaction
from oauth2_provider.generators import generate_client_id, generate_client_secret
from oauth2_provider.models import Application

from changde.accounts.models import User
from changde.accounts.roles import Role
from changde.accounts.services import create_user, open_post
from changde.audit.services import record
from changde.divisions.models import Division


@transaction.atomic
def create_client(*, name: str, division: Division, by: User | None) -> tuple[str, str]:
    """A county system that may read `division`; returns its id and its secret, which is stored hashed only."""
    identity, secret = generate_client_id(), generate_client_secret()
    account = create_user(username=f"client-{identity[:12]}", name=name, password=None, by=by, is_client=True)
    open_post(user=account, role=Role.COUNTY_SYSTEM, division=division, by=by)
    application = Application.objects.create(
        name=name,
        user=account,
        client_id=identity,
        client_secret=secret,
        hash_client_secret=True,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    record("api.create_client", by=by, target=application, area=division.code, account=account.pk)
    return identity, secret
