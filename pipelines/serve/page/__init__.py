"""The page: what a trader looks at in a browser.

`routes.py` has its paths, `static/` what runs in the browser, `templates/` the HTML that the service writes itself. It asks
/v1 for its data, and `/page/…` for what /v1 does not have.
"""
