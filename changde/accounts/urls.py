from django.urls import path

from changde.accounts import views

app_name = "accounts"
urlpatterns = [
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("confirm/", views.confirm_password, name="confirm"),
    path("language/", views.language, name="language"),
    path("division/", views.division, name="division"),
]
