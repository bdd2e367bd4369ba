from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "changde.api"

    def ready(self) -> None:
        from changde.api import schema  # noqa: F401 - registers how clients log in
