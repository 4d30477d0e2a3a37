"""A fit as one page of HTML that needs nothing else: no network, library or server.

Without a script it is tables and pictures; with its own it has a slider along the path.
Numbers are gathered in ``along``, ``rows`` and ``words``, drawn in ``pictures`` and
joined in ``page``. Every name in it is data and escaped; its content policy lets no
other script run. See docs/how-to/report.md.
"""
