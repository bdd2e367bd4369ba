"""Tables of the people who are helped."""

from households.models.export import CardExport
from households.models.finding import Finding
from households.models.household import Household, HouseholdStatus, Membership
from households.models.identity import IdentityClaim
from households.models.imports import ImportBatch, ImportProblem, WaitingHousehold
from households.models.index import IndexRun, IndexVersion, Result, RunChunk, TownshipPointer
from households.models.listing import ColumnChoice, SavedFilter
from households.models.person import Person
from households.models.sheet import MemberSheet, Sheet
from households.models.village_card import VillageCard

__all__ = [
    "CardExport",
    "ColumnChoice",
    "Finding",
    "Household",
    "HouseholdStatus",
    "IdentityClaim",
    "ImportBatch",
    "ImportProblem",
    "IndexRun",
    "IndexVersion",
    "MemberSheet",
    "Membership",
    "Person",
    "Result",
    "RunChunk",
    "SavedFilter",
    "Sheet",
    "TownshipPointer",
    "VillageCard",
    "WaitingHousehold",
]
