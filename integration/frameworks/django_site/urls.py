"""Where the views are."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import path

from . import views

urlpatterns = [
    path("hello/<name>", views.hello),
    path("away", views.away),
    path("digest", views.digest),
    path("upload", views.upload),
    path("visits", views.visits),
    path("source", views.source),
    path("lines", views.lines),
    path("go", views.let_go),
    path("endless", views.endless),
    path("notes", views.tell_notes),
    path("broken", views.broken),
    path("admin/", admin.site.urls),
    # In production these files are nginx's; here they are responses like others.
    path("static/<path:path>", serve, {"insecure": True}),
]
