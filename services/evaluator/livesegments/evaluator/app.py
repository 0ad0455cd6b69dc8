"""Composition root of the evaluator service."""
