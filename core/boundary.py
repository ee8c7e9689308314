"""Marks the inside of a database transaction, so that whoever calls out to the network can refuse to do it there."""

from contextvars import ContextVar

inside_transaction: ContextVar[bool] = ContextVar("inside_transaction", default=False)


def assert_outside_transaction(call: str) -> None:
    """Raise RuntimeError when a transaction is open in this task: a network call must never hold one up."""
    if inside_transaction.get():
        raise RuntimeError(f"{call} inside a database transaction")
