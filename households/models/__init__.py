"""Tables of the people who are helped."""

from households.models.check_setting import CheckSetting
from households.models.comparison import Comparison
from households.models.draft import CardDraft
from households.models.duplicate import DistinctPair, DuplicateCase
from households.models.event import FormerVillage, LifeEvent, MoveRequest
from households.models.evidence import Evidence, EvidenceContent
from households.models.export import CardExport
from households.models.figures import CardCount, FiguresMark, VillageFigures
from households.models.finding import Finding
from households.models.household import Household, HouseholdStatus, Membership
from households.models.identity import IdentityClaim
from households.models.imports import ImportBatch, ImportProblem, StagedHousehold, WaitingHousehold
from households.models.income_line import IncomeLine
from households.models.index import IndexRun, IndexVersion, Result, RunChunk, TownshipPointer
from households.models.index_trial import IndexTrial, IndexTrialTownship, IndexTrialVillage
from households.models.lead_rule import LeadRule
from households.models.listed_card import ListedCard
from households.models.listed_member import ListedMember
from households.models.listed_without_labour import ListedWithoutLabour
from households.models.listing import ColumnChoice, SavedFilter
from households.models.need import HouseholdNeed
from households.models.person import Person
from households.models.printout import Printout
from households.models.register import (
    RegisterEntry,
    RegisterKeeper,
    RegisterKind,
    RegisterProblem,
    RegisterVersion,
)
from households.models.sheet import MemberSheet, Sheet
from households.models.village_cadre import CadreRelative, VillageCadre
from households.models.village_card import VillageCard
from households.models.yearly_standard import StandardRate, YearlyStandard

__all__ = [
    "CadreRelative",
    "CheckSetting",
    "CardCount",
    "CardDraft",
    "CardExport",
    "ColumnChoice",
    "Comparison",
    "Evidence",
    "EvidenceContent",
    "DistinctPair",
    "DuplicateCase",
    "FiguresMark",
    "Finding",
    "FormerVillage",
    "Household",
    "HouseholdNeed",
    "LifeEvent",
    "ListedCard",
    "ListedMember",
    "ListedWithoutLabour",
    "HouseholdStatus",
    "IdentityClaim",
    "ImportBatch",
    "ImportProblem",
    "IncomeLine",
    "IndexRun",
    "IndexTrial",
    "IndexTrialTownship",
    "IndexTrialVillage",
    "IndexVersion",
    "LeadRule",
    "MemberSheet",
    "Membership",
    "MoveRequest",
    "Person",
    "Printout",
    "RegisterEntry",
    "RegisterKeeper",
    "RegisterKind",
    "RegisterProblem",
    "RegisterVersion",
    "Result",
    "RunChunk",
    "SavedFilter",
    "Sheet",
    "StandardRate",
    "StagedHousehold",
    "TownshipPointer",
    "VillageCadre",
    "VillageCard",
    "VillageFigures",
    "WaitingHousehold",
    "YearlyStandard",
]
