from django.urls import path

from changde.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.index, name="list"),
    path("<int:job_id>/progress/", views.progress, name="progress"),
    path("<int:job_id>/cancel/", views.cancel, name="cancel"),
]
