"""GET /: the console, a page for people, what it loads, and the OpenAPI document."""

from pathlib import Path

from files_api import composition
from files_api.api.pages import Pages

lambda_handler = Pages(
    composition.site,
    composition.allowed_origin,
    Path(__file__).parent / "site",
    routes={"/": "console.html", "/console/{file}": None, "/openapi.json": None},
)
