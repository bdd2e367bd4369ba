"""Celery's side of the app: job handlers, ids in, one service call."""

from datetime import date
from typing import Any

from cadres.forms import plan_rules
from cadres.services.plans import propose_plan
from changde.jobs.services import RunningJob, handler

MATCH = "cadres.match"


@handler(MATCH)
def match(job: RunningJob) -> dict[str, Any]:
    """Propose a plan for the division; `parameters` are the plain values of the PlanForm."""
    plan = propose_plan(
        division=job.parameters["division"],
        by=job.owner,
        start=date.fromisoformat(job.parameters["rules"]["start"]),
        rules=plan_rules(job.parameters["rules"]),
        progress=job.progress,
    )
    return {"plan": plan.pk}
