"""Teahouse: a self-hosted AI chat server that never loses an answer."""

__version__ = "0.1.0"
