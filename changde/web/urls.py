from django.urls import path

from changde.web import views

app_name = "web"
urlpatterns = [
    path("service-worker.js", views.service_worker, name="service_worker"),
    path("offline/", views.offline, name="offline"),
    path("area/", views.area, name="area"),
    path("gallery/", views.gallery, name="gallery"),
]
