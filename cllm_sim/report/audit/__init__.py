"""The reports of an audit: terminal, SARIF, page and Markdown, each made from the result and from nothing else.

The chapters are made once (`chapters`, of the pieces in `blocks`) and drawn by `text`, `page` and `markdown`; `sarif`
tells the findings to other tools. Rules of this package: no auditor, no file is read; the same result gives the same
bytes; matplotlib, networkx and jinja2 are imported when a page is made.
"""
