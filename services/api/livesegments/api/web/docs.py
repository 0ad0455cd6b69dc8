"""`/docs` and `/redoc`: the OpenAPI document as pages to read and try, without the Internet.

Their scripts and styles come from the wheel `fastapi-offline`.
"""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

FILES = "/docs/files"


def install(app: FastAPI) -> None:
    app.mount(FILES, StaticFiles(directory=str(files("fastapi_offline") / "static")))
    document, icon = "/openapi.json", f"{FILES}/favicon.png"

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=document,
            title=app.title,
            swagger_js_url=f"{FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{FILES}/swagger-ui.css",
            swagger_favicon_url=icon,
        )

    @app.get("/redoc", include_in_schema=False)
    async def redoc() -> HTMLResponse:
        return get_redoc_html(
            openapi_url=document,
            title=app.title,
            redoc_js_url=f"{FILES}/redoc.standalone.js",
            redoc_favicon_url=icon,
            with_google_fonts=False,
        )
