"""Addresses of supervision: lists and objections of the office, and the short public ones under /p/."""

from django.urls import include, path

from supervision.views import lists, objections, public

_lists = [
    path("", lists.index, name="index"),
    path("draft/", lists.draft, name="draft"),
    path("<int:pk>/", lists.page, name="page"),
    path("<int:pk>/snapshot.txt", lists.snapshot, name="snapshot"),
    path("<int:pk>/refresh/", lists.refresh, name="refresh"),
    path("<int:pk>/entries/<int:entry>/leave-out/", lists.leave_out, name="leave_out"),
    path("<int:pk>/entries/<int:entry>/take-in/", lists.take_in, name="take_in"),
    path("<int:pk>/entries/<int:entry>/clear/", lists.clear, name="clear"),
    path("<int:pk>/discard/", lists.discard, name="discard"),
    path("<int:pk>/post/", lists.post, name="post"),
    path("<int:pk>/correct/", lists.correct, name="correct"),
    path("<int:pk>/second/", lists.follow, name="follow"),
]

_objections = [
    path("", objections.desk, name="desk"),
    path("<uuid:pk>/", objections.case, name="case"),
    path("<uuid:pk>/contact/", objections.contact, name="contact"),
    path("<uuid:pk>/visit/", objections.visit, name="visit"),
    path("<uuid:pk>/decide/", objections.decide, name="decide"),
]

_public = [
    path("", public.index, name="index"),
    path("track/", public.track, name="track"),
    path("<slug:public_id>/", public.page, name="list"),
    path("<slug:public_id>/snapshot.txt", public.snapshot, name="snapshot"),
    path("<slug:public_id>/poster/", public.poster, name="poster"),
    path("<slug:public_id>/object/", public.object_to, name="object"),
]

urlpatterns = [
    path("lists/", include((_lists, "lists"))),
    path("objections/", include((_objections, "objections"))),
    path("p/", include((_public, "public"))),
]
