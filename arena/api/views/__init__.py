"""The admin API, one module per subject."""
