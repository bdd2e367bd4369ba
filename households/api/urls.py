from django.urls import path

from households.api.cards import CardViewSet
from households.api.fields import FieldList
from households.api.index_versions import IndexVersionViewSet
from households.api.results import ResultViewSet
from households.api.village_cards import VillageCardViewSet

app_name = "households_api"
urlpatterns = [
    path("fields/", FieldList.as_view(), name="fields"),
    path("cards/", CardViewSet.as_view({"get": "list"}), name="cards"),
    path("cards/<int:pk>/", CardViewSet.as_view({"get": "retrieve"}), name="card"),
    path("index-versions/", IndexVersionViewSet.as_view({"get": "list"}), name="index_versions"),
    path("index-versions/<int:pk>/", IndexVersionViewSet.as_view({"get": "retrieve"}), name="index_version"),
    path("results/", ResultViewSet.as_view({"get": "list"}), name="results"),
    path("results/<int:pk>/", ResultViewSet.as_view({"get": "retrieve"}), name="result"),
    path("village-cards/", VillageCardViewSet.as_view({"get": "list"}), name="village_cards"),
    path("village-cards/<int:pk>/", VillageCardViewSet.as_view({"get": "retrieve"}), name="village_card"),
]
