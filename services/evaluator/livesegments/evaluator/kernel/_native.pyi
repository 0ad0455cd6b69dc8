from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Answer: TypeAlias = tuple[bytes | None, int | None, bytes, bytes]
Applied: TypeAlias = tuple[
    list[tuple[str, bytes, int | None, int | None]], list[int], bytes, bytes, list[tuple[str, str]]
]

SHAPE: int

class Plan:
    def __new__(cls, description: bytes, asked: Sequence[Callable[..., Any]]) -> Plan: ...
    def event(self, state: bytes, event: bytes, now_ms: int) -> Answer | str: ...
    def clock(self, profile: str, state: bytes, now_ms: int) -> Answer | str: ...
    def record(self, record: bytes, states: Mapping[str, bytes], clock_ms: int) -> Applied: ...
    def fire(
        self, due: Sequence[tuple[str, bytes, int]]
    ) -> tuple[list[tuple[bytes | None, int | None] | str], bytes]: ...
