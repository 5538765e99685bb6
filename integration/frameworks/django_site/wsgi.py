"""The project as an application of WSGI."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "frameworks.django_site.settings")
application = get_wsgi_application()
