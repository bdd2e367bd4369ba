"""Row history by triggers: every UPDATE and DELETE keeps the row as it was, whoever wrote it and however."""

from collections.abc import Callable

import pghistory
from django.db import models


def keep_history(model: type[models.Model]) -> type[models.Model]:
    """Class decorator. The trackers are made anew for each model: pghistory binds them to the first that uses them."""
    return keep_history_but()(model)


def keep_history_but(*computed: str) -> Callable[[type[models.Model]], type[models.Model]]:
    """The same without columns that are worked out anew from others: a change of those alone is no event."""

    def decorate(model: type[models.Model]) -> type[models.Model]:
        trackers = pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(row=pghistory.Old)
        if not computed:
            return pghistory.track(*trackers)(model)
        return pghistory.track(*trackers, exclude=list(computed), model_name=f"{model.__name__}Event")(model)

    return decorate
