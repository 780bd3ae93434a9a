"""GET /, /docs: the console and the reference, pages for people, and what they load."""

from pathlib import Path

from files_api import composition
from files_api.api.pages import Pages

lambda_handler = Pages(
    composition.site,
    composition.allowed_origin,
    Path(__file__).parent / "site",
    routes={
        "/": "console.html",
        "/console/{file}": None,
        "/docs": "reference.html",
        "/docs/{file}": None,
        "/openapi.json": None,
    },
)
