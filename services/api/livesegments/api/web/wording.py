"""The faults that pydantic sees, in the same codes and words as the faults of a definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SAID = {
    "extra_forbidden": ("unknown_field", "is not a field here"),
    "missing": ("missing_field", "is missing"),
    "list_type": ("wrong_type", "must be a list"),
    "tuple_type": ("wrong_type", "must be a list"),
    "string_type": ("wrong_type", "must be a string"),
    "bool_type": ("wrong_type", "must be true or false"),
    "bool_parsing": ("wrong_type", "must be true or false"),
    "int_type": ("wrong_type", "must be a whole number"),
    "int_parsing": ("wrong_type", "must be a whole number"),
    "int_parsing_size": ("out_of_range", "is too great a number"),
    "int_from_float": ("wrong_type", "must be a whole number"),
    "float_type": ("wrong_type", "must be a number"),
    "float_parsing": ("wrong_type", "must be a number"),
    "finite_number": ("out_of_range", "must be a finite number"),
    "none_required": ("wrong_type", "must be null"),
    "dict_type": ("wrong_type", "must be an object"),
    "model_type": ("wrong_type", "must be an object"),
    "model_attributes_type": ("wrong_type", "must be an object"),
    "literal_error": ("unknown_value", "must be one of {expected}"),
    "enum": ("unknown_value", "must be one of {expected}"),
    "greater_than_equal": ("out_of_range", "must be {ge} or more"),
    "greater_than": ("out_of_range", "must be more than {gt}"),
    "less_than_equal": ("out_of_range", "must be {le} or less"),
    "less_than": ("out_of_range", "must be less than {lt}"),
    "string_too_short": ("too_short", "must have {min_length} or more characters"),
    "string_too_long": ("too_long", "must have {max_length} or fewer characters"),
    "string_pattern_mismatch": ("bad_form", "must have the form {pattern}"),
    "string_unicode": ("bad_character", "must be a text without lone surrogates"),
    "too_short": ("wrong_length", "must have {min_length} or more items"),
    "too_long": ("wrong_length", "must have {max_length} or fewer items"),
}
OTHER = "not_valid", "is not a value that is allowed here; /openapi.json says which are"


def said(error: Mapping[str, Any]) -> tuple[str, str]:
    """The code and the message of one of pydantic's errors."""
    context = error.get("ctx") or {}
    if "said" in context:
        return error["type"], context["said"]
    code, message = _SAID.get(error["type"], OTHER)
    return code, message.format_map(context)
