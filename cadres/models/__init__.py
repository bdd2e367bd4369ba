"""Tables of the people who help."""

from cadres.models.cadre import Cadre, CadreSkill
from cadres.models.need import VillageNeed
from cadres.models.plan import MatchPlan, PlanApproval, PlanAssignment
from cadres.models.posting import Posting
from cadres.models.unit import Unit

__all__ = [
    "Cadre",
    "CadreSkill",
    "MatchPlan",
    "PlanApproval",
    "PlanAssignment",
    "Posting",
    "Unit",
    "VillageNeed",
]
