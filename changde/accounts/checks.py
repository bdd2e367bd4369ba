"""A model of people's rows without a scope fails the system check: fail closed, at build time."""

from typing import Any

from django.apps import apps
from django.core.checks import Error, register

from changde.accounts.areas import ScopedQuerySet

SCOPED_APPS = ("households", "cadres", "supervision", "jobs")


@register()
def every_model_is_scoped(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Models of SCOPED_APPS have a ScopedQuerySet manager, or say `scope = "reference"` (rows about nobody)."""
    errors = []
    for label in SCOPED_APPS:
        for model in apps.get_app_config(label).get_models():
            if "pgh_id" in {field.name for field in model._meta.fields}:
                continue  # the history of a scoped row, reached through it
            if getattr(model, "scope", "") == "reference":
                continue
            if not issubclass(type(model._default_manager.all()), ScopedQuerySet):
                errors.append(Error(f"{model._meta.label} has no scope", obj=model, id="accounts.E001"))
    return errors
