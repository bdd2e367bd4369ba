from django.urls import path

from supervision.api.figures import FiguresView
from supervision.api.lists import ListViewSet

app_name = "supervision_api"
urlpatterns = [
    path("figures/", FiguresView.as_view(), name="figures"),
    path("lists/", ListViewSet.as_view({"get": "list"}), name="lists"),
    path("lists/<slug:public_id>/", ListViewSet.as_view({"get": "retrieve"}), name="list"),
]
