"""Who may use the API at all; rows are narrowed by visible_to."""

from rest_framework.permissions import SAFE_METHODS, BasePermission


class HoldsPost(BasePermission):
    """A role that holds `use_api` (and the view's own `capability`), reading only; a token needs the scope read."""

    def has_permission(self, request, view) -> bool:
        user = request.user
        if not user.is_authenticated or request.method not in SAFE_METHODS or not user.can("use_api"):
            return False
        if request.auth is not None and not request.auth.is_valid(["read"]):
            return False
        return user.can(getattr(view, "capability", "use_api"))
