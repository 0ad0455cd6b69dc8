"""Composition root of the api service."""
