"""The site on Django, by WSGI and by ASGI, with sessions in a database and the admin's pages."""
