"""The battles room for operators: one file a concern."""

from arena.battles.admin import (
    battles,
    categories,
    collections,
    endpoints,
    prompts,
    sampling,
)

__all__ = ["battles", "categories", "collections", "endpoints", "prompts", "sampling"]
