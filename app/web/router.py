"""Includes every page module."""

from fastapi import FastAPI

from app.settings import Settings
from app.web import (
    accounts,
    conversation_menu,
    conversations,
    feed,
    generations,
    message_actions,
    messages,
    options,
    search,
    sessions,
    shortcuts,
    titles,
)
from app.web.account_pages import ACCOUNT, ADMINISTRATION
from app.web.problems import render_problem_page


def install_pages(app: FastAPI, settings: Settings) -> None:
    """The HTML face. Pages are no part of the API's description."""
    # First what is asked for most: a poll several times a second and reader.
    for module in (generations, feed, conversations, messages, conversation_menu, titles, search, shortcuts):
        app.include_router(module.router, include_in_schema=False)
    for module in (message_actions, options, sessions, accounts):
        app.include_router(module.router, include_in_schema=False)
    for module in (*ACCOUNT, *ADMINISTRATION):
        app.include_router(module.router, include_in_schema=False)
    app.state.render_problem_page = render_problem_page
