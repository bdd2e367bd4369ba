"""The jobs of a person and of the area: list, progress, cancel."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from changde.accounts.access import access
from changde.accounts.refusal import Refusal
from changde.jobs import services
from changde.jobs.models import Job


@require_safe
@access("work")
def index(request: HttpRequest) -> HttpResponse:
    jobs = Job.objects.visible_to(request.user).filter(parent=None).select_related("owner").order_by("-pk")[:50]
    return render(request, "jobs/list.html", {"jobs": jobs})


@require_safe
@access("work")
def progress(request: HttpRequest, job_id: int) -> HttpResponse:
    """The progress bar alone; it asks again every second until the job is over."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=job_id)
    return render(request, "jobs/_progress.html", {"job": job})


@require_POST
@access("work")
def cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=job_id)
    try:
        services.cancel(job=job, by=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    return redirect("jobs:list")
