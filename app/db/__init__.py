"""Engines, sessions, and what differs between databases."""

from app.db import sqlite as sqlite  # must come before aiosqlite is imported anywhere
