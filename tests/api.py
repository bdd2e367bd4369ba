"""Programs that talk REST in the tests."""

from datetime import timedelta
from itertools import count

from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application

from changde.accounts.models import User

_serial = count(1)


def token_of(user: User) -> str:
    """A bearer token of the account, as the token address would have issued it."""
    application = Application.objects.create(
        user=user,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    token = f"token-of-the-tests-{next(_serial)}"
    expires = timezone.now() + timedelta(hours=1)
    AccessToken.objects.create(application=application, token=token, expires=expires, scope="read")
    return token


def program(user: User) -> Client:
    """A client of the API that acts for the account."""
    return Client(headers={"Authorization": f"Bearer {token_of(user)}"})
