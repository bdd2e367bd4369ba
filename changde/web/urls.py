from django.urls import path

from changde.web import views

app_name = "web"
urlpatterns = [
    path("area/", views.area, name="area"),
    path("gallery/", views.gallery, name="gallery"),
]
