"""Our speed beside that of our peers, measured in the same minutes on the same core.

``python -m bench parser server client download idle`` from the root of the
repository, in an environment that holds our four wheels. Peers live in an
environment of their own, because aiohttp 3 and we are both named ``aiohttp``.

Every contender is a process of its own, pinned to one core, and shows that it
does the work right before it is timed. Contenders take turns, round after round,
so that whatever else the machine does falls on all of them; what is compared is
the median of the rounds, and for a ratio the median of the rounds' own ratios.
"""
