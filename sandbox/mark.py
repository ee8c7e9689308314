"""What every longer secret of a made-up vendor ends in, so that one found where it does not belong is known for what it is."""

MARK = "5ec4e7ca9a4e"
"""Hexadecimal, which every vendor's shape of a secret allows."""
SHORTEST = 24
"""Characters. What is shorter opens nothing by itself, or could be guessed."""


def marked(secret: str) -> str:
    """Return ``secret`` with its end replaced by the mark, at the same length; a short one as it is."""
    return secret[: -len(MARK)] + MARK if len(secret) >= SHORTEST else secret
