"""Posted lists for everybody: without login, in large type, from the frozen snapshot alone."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import segno
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_safe

from changde.accounts.access import public
from changde.accounts.refusal import Refusal
from changde.web.pages import UNPROCESSABLE
from supervision.forms import ObjectionForm, TrackForm
from supervision.models import PublicityList
from supervision.selectors import lists as selectors
from supervision.selectors.objections import tracked
from supervision.services.objections import new_form_key, raise_objection
from supervision.views.limits import limited
from supervision.views.lists import snapshot_response

GONE = 410
View = Callable[..., HttpResponse]


def unlisted(view: View) -> View:
    """No search engine keeps these pages and no cache shows them after their end."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> HttpResponse:
        response = view(*args, **kwargs)
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return guarded


@require_safe
@public
@unlisted
def index(request: HttpRequest) -> HttpResponse:
    """Find a village's list by county and township, or by name."""
    code, words = request.GET.get("area", ""), request.GET.get("q", "").strip()[:30]
    found = selectors.public_index(code=int(code) if code.isdecimal() and len(code) == 12 else None, words=words)
    return render(request, "supervision/public_index.html", {"found": found, "words": words})


@require_safe
@public
@unlisted
def page(request: HttpRequest, public_id: str) -> HttpResponse:
    """The list while it is shown; afterwards that it ended, and no name."""
    return _page(request, _posted(public_id))


@require_safe
@public
@unlisted
def snapshot(request: HttpRequest, public_id: str) -> HttpResponse:
    """The very bytes of the checksum."""
    posted = _posted(public_id)
    return snapshot_response(posted.listed) if posted.content else _page(request, posted, status=GONE)


@require_safe
@public
@unlisted
def poster(request: HttpRequest, public_id: str) -> HttpResponse:
    """One or more A4 sheets for the notice board, with a QR code that leads back here."""
    posted = _posted(public_id)
    if not posted.content:
        return _page(request, posted, status=GONE)
    address = settings.PUBLIC_URL + reverse("public:list", args=[public_id])
    context = {"posted": posted, "listed": posted.listed, "address": address, "qr": _qr(address)}
    with override(settings.LANGUAGE_CODE):  # it hangs in the village, whoever printed it
        return render(request, "supervision/poster.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@public
@unlisted
@limited("object", times=20, seconds=3600)
def object_to(request: HttpRequest, public_id: str) -> HttpResponse:
    """Raise an objection; the answer shows the tracking code, once."""
    posted = _posted(public_id)
    if not posted.content:
        return _page(request, posted, status=GONE)
    rows = posted.content.rows
    context = {"posted": posted, "listed": posted.listed}
    if request.method != "POST":
        form = ObjectionForm(rows=rows, initial={"key": new_form_key(), "subject": request.GET.get("row", "")})
        return render(request, "supervision/objection.html", context | {"form": form})
    form = ObjectionForm(request.POST, rows=rows)
    if form.is_valid():
        try:
            raised = raise_objection(
                publicity_list=posted.listed,
                about=form.about,
                position=form.position,
                text=form.cleaned_data["text"],
                contact=form.cleaned_data["contact"],
                key=form.cleaned_data["key"],
            )
        except Refusal as refusal:
            if refusal.code in ("form_expired", "already_sent"):
                form.data = form.data.copy()
                form.data["key"] = new_form_key()
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            return render(request, "supervision/objection_received.html", context | {"raised": raised})
    return render(request, "supervision/objection.html", context | {"form": form}, status=UNPROCESSABLE)


@require_http_methods(["GET", "HEAD", "POST"])
@public
@unlisted
@limited("track", times=30, seconds=600)
def track(request: HttpRequest) -> HttpResponse:
    """Follow an objection by its code; the code travels in the body, so that no log keeps it."""
    if request.method != "POST":
        return render(request, "supervision/objection_track.html", {"form": TrackForm()})
    form = TrackForm(request.POST)
    progress = tracked(form.cleaned_data["code"]) if form.is_valid() else None
    context = {"form": form, "progress": progress, "asked": form.is_valid()}
    return render(request, "supervision/objection_track.html", context)


def _posted(public_id: str) -> selectors.Public:
    try:
        return selectors.public_list(public_id)
    except PublicityList.DoesNotExist as error:
        raise Http404 from error


def _page(request: HttpRequest, posted: selectors.Public, status: int = 200) -> HttpResponse:
    return render(request, "supervision/public_list.html", {"posted": posted, "listed": posted.listed}, status=status)


def _qr(address: str) -> str:
    """The address as inline SVG without styles; the caption beside it speaks to screen readers."""
    drawing = segno.make(address, error="m", micro=False).svg_inline(
        scale=4, border=2, omitsize=True, dark="#000", light="#fff"
    )
    return mark_safe(drawing.replace("<svg ", '<svg aria-hidden="true" ', 1))
