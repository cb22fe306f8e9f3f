from django.urls import path

from arena.voters import views

app_name = "voters"
urlpatterns = [
    path("privacy/", views.privacy, name="privacy"),
    path("challenge/", views.challenge, name="challenge"),
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", views.SignOut.as_view(), name="sign-out"),
]
