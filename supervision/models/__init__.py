"""Tables of the work that is watched."""

from supervision.models.objection import Objection
from supervision.models.publicity import ListEntry, PublicityList, Snapshot, Step

__all__ = ["ListEntry", "Objection", "PublicityList", "Snapshot", "Step"]
