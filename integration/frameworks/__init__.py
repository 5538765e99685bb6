"""One small site, written with each framework: what is tested is who serves it.

==================  ==================================================================
``GET /hello/…``    JSON: the ``name`` in the path, and the ``query``
``GET /away``       a redirect to ``/hello/again``, wherever the site is mounted
``POST /digest``    the SHA-256 of a body that is read in pieces
``POST /upload``    JSON: what came in the form: ``ship``, and the file ``log``
``GET /visits``     how often this client has asked, by its session
``GET /source``     the module itself, as a file
``GET /lines``      a line, and another one after ``POST /go``
``GET /endless``    lines, until the client goes: then there is one more of ``/notes``
``GET /notes``      JSON: what the site has noted
``GET /broken``     an error
==================  ==================================================================
"""
