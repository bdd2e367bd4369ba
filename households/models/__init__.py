"""Tables of the people who are helped."""

from households.models.evidence import Evidence, EvidenceContent
from households.models.finding import Finding
from households.models.household import Household, HouseholdStatus, Membership
from households.models.identity import IdentityClaim
from households.models.imports import ImportBatch, ImportProblem, WaitingHousehold
from households.models.index import IndexRun, IndexVersion, Result, RunChunk, TownshipPointer
from households.models.person import Person
from households.models.printout import Printout
from households.models.sheet import MemberSheet, Sheet
from households.models.village_card import VillageCard

__all__ = [
    "Evidence",
    "EvidenceContent",
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
    "Printout",
    "Result",
    "RunChunk",
    "Sheet",
    "TownshipPointer",
    "VillageCard",
    "WaitingHousehold",
]
