"""Names the computation: it changes whenever the same votes and spec would give other numbers."""

ENGINE = "ranking 0.1.0"
