"""Row history by triggers: every UPDATE and DELETE keeps the row as it was, whoever wrote it and however."""

import pghistory
from django.db import models


def keep_history(model: type[models.Model]) -> type[models.Model]:
    """Class decorator. The trackers are made anew for each model: pghistory binds them to the first that uses them."""
    trackers = pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(row=pghistory.Old)
    return pghistory.track(*trackers)(model)
