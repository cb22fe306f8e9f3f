"""Keys of provider endpoints: named in the database, held by the environment alone."""

import os


def provider_key(variable: str) -> str:
    """The key in the environment variable; empty where none is named or it is not set."""
    return os.environ.get(variable, "") if variable else ""
