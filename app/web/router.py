"""Includes every page module."""

from fastapi import FastAPI

from app.settings import Settings
from app.web import accounts, conversations, generations, messages, sessions
from app.web.problems import render_problem_page
from app.web.spa import install_spa


def install_pages(app: FastAPI, settings: Settings) -> None:
    """The HTML face. Pages are no part of the API's description."""
    for module in (sessions, accounts, conversations, messages, generations):
        app.include_router(module.router, include_in_schema=False)
    install_spa(app)
    app.state.render_problem_page = render_problem_page
