"""What tests of the whole product share: `product`, which tests/conftest.py has."""

from tests.product import COMMAND, RUN_S, START_S, Product

__all__ = ["COMMAND", "RUN_S", "START_S", "Product"]
