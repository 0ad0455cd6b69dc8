"""Composition root of the ingest service."""
