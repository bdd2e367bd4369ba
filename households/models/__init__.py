"""Tables of the people who are helped."""

from households.models.duplicate import DistinctPair, DuplicateCase
from households.models.event import FormerVillage, LifeEvent, MoveRequest
from households.models.finding import Finding
from households.models.household import Household, HouseholdStatus, Membership
from households.models.identity import IdentityClaim
from households.models.imports import ImportBatch, ImportProblem, WaitingHousehold
from households.models.index import IndexRun, IndexVersion, Result, RunChunk, TownshipPointer
from households.models.person import Person
from households.models.sheet import MemberSheet, Sheet
from households.models.village_card import VillageCard

__all__ = [
    "DistinctPair",
    "DuplicateCase",
    "Finding",
    "FormerVillage",
    "Household",
    "LifeEvent",
    "HouseholdStatus",
    "IdentityClaim",
    "ImportBatch",
    "ImportProblem",
    "IndexRun",
    "IndexVersion",
    "MemberSheet",
    "Membership",
    "MoveRequest",
    "Person",
    "Result",
    "RunChunk",
    "Sheet",
    "TownshipPointer",
    "VillageCard",
    "WaitingHousehold",
]
