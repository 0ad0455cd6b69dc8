from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Answer: TypeAlias = tuple[bytes | None, int | None, bytes, bytes]
Applied: TypeAlias = tuple[
    list[tuple[str, bytes, int | None, int | None]], list[int], bytes, bytes, list[tuple[str, str]]
]

SHAPE: int

class Function:
    def __new__(cls, function: Callable[..., Any]) -> Function: ...

class Plan:
    def __new__(cls, description: bytes, asked: Sequence[Function]) -> Plan: ...
    def event(self, revision: int, state: bytes, event: bytes, now_ms: int) -> Answer | str: ...
    def clock(self, revision: int, profile: str, state: bytes, now_ms: int) -> Answer | str: ...
    def record(self, revision: int, record: bytes, states: Mapping[str, bytes], clock_ms: int) -> Applied: ...
    def fire(
        self, revision: int, due: Sequence[tuple[str, bytes, int]]
    ) -> tuple[list[tuple[bytes | None, int | None] | str], bytes]: ...
