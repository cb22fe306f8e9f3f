"""The battles room for operators: one file a concern."""

from arena.battles.admin import (
    battles,
    collections,
    endpoints,
    prompts,
    sampling,
)

__all__ = ["battles", "collections", "endpoints", "prompts", "sampling"]
