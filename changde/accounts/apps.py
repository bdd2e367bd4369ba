from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "changde.accounts"

    def ready(self) -> None:
        from changde.accounts import checks  # noqa: F401 - registers the system check
