"""Text from strangers, made safe to store and to send."""


def is_storable(text: str) -> bool:
    """False for NUL (PostgreSQL refuses it) and lone surrogates (no UTF-8 has them)."""
    return "\x00" not in text and text == storable(text)


def storable(text: str) -> str:
    """`text` with every character that cannot be stored replaced by U+FFFD.

    The two halves of a character that arrived apart are put together.
    """
    halves = text.replace("\x00", "\ufffd").encode("utf-16-le", "surrogatepass")
    return halves.decode("utf-16-le", "replace")
