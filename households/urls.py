"""Addresses of the people who are helped."""

from django.urls import path

from households.views import card, card_form, cards, exports, imports, listing, village_cards, why

app_name = "households"
urlpatterns = [
    path("search/", cards.search, name="search"),
    path("households/", cards.index, name="list"),
    path("households/columns/", listing.columns, name="columns"),
    path("households/filters/", listing.filters, name="filters"),
    path("households/filters/keep/", listing.keep, name="keep_filter"),
    path("households/filters/<int:filter_id>/", listing.rename, name="rename_filter"),
    path("households/filters/<int:filter_id>/delete/", listing.delete, name="delete_filter"),
    path("households/filters/<int:filter_id>/restore/", listing.restore, name="restore_filter"),
    path("exports/", exports.index, name="exports"),
    path("exports/new/", exports.new, name="new_export"),
    path("exports/<int:export_id>/", exports.page, name="export"),
    path("exports/<int:export_id>/file/", exports.file, name="export_file"),
    path("households/new/", card_form.new, name="new"),
    path("households/<int:household_id>/", card.card, name="card"),
    path("households/<int:household_id>/edit/", card_form.edit, name="edit"),
    path("households/<int:household_id>/reveal/", card.reveal, name="reveal"),
    path("households/<int:household_id>/why/", why.why, name="why"),
    path("imports/", imports.index, name="imports"),
    path("imports/new/", imports.new, name="import"),
    path("imports/template/", imports.template, name="import_template"),
    path("imports/<int:batch_id>/", imports.page, name="import_page"),
    path("imports/<int:batch_id>/accept/", imports.accept, name="import_accept"),
    path("imports/<int:batch_id>/returned/", imports.returned, name="import_returned"),
    path("villages/<int:code>/card/", village_cards.show, name="village_card"),
    path("villages/<int:code>/card/edit/", village_cards.edit, name="village_card_edit"),
]
