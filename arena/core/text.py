"""Text from strangers, made safe to store and to send."""


def is_storable(text: str) -> bool:
    """False for NUL (PostgreSQL refuses it) and lone surrogates (no UTF-8 has them)."""
    return "\x00" not in text and text == storable(text)


def storable(text: str) -> str:
    """`text` with every character that cannot be stored replaced by U+FFFD."""
    return (
        text.replace("\x00", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    )
