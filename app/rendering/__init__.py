"""Markdown to safe HTML; pure."""

from app.rendering.pipeline import render_blocks, render_markdown
from app.rendering.source import escape_text
from app.rendering.streaming import StreamingRenderer, Update

__all__ = ["StreamingRenderer", "Update", "escape_text", "render_blocks", "render_markdown"]
