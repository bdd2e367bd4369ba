"""County systems log in by OAuth2 client credentials; the token acts as the client's own account."""

from django.utils.translation import gettext as _
from oauth2_provider.contrib.rest_framework import OAuth2Authentication
from rest_framework.exceptions import AuthenticationFailed


class ClientAuthentication(OAuth2Authentication):
    """The account that owns the OAuth application is the user; its posts are the rights."""

    def authenticate(self, request):
        answer = super().authenticate(request)
        if answer is None:
            return None
        _user, token = answer
        account = token.application.user if token.application else None
        if account is None or not account.is_active or not account.is_client:
            raise AuthenticationFailed(_("该客户端没有有效账号"))
        return account, token
