"""What can be expected to go wrong, as a sentence that says what to do. Anything else is a bug and keeps its traceback."""

import errno
import os

from sqlalchemy.exc import DBAPIError

from core.errors import ExternalError, Refusal
from storage.schema import SchemaError
from storage.vault import UndecryptableError

_TOLD = (ExternalError, Refusal, SchemaError, UndecryptableError)
"""Their messages are written for people."""
EXPECTED = (*_TOLD, DBAPIError, OSError, ExceptionGroup)
"""What is worth asking :func:`sentence` about."""
_UNHEARD = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES})


def sentence(problem: Exception) -> str | None:
    """Return what to tell whoever ran the program; None when it is a bug. Looks into groups that hold one thing only."""
    match problem:
        case ExceptionGroup(exceptions=[only]):
            return sentence(only)
        case DBAPIError():
            return f"The database does not answer ({type(problem.orig).__name__}). Check DATABASE_URL, and that it is running."
        case OSError(errno=int(number)) if number in _UNHEARD:
            return f"Cannot listen on HOST and PORT: {os.strerror(number)}. Choose others, or stop the program that is there."
        case _ if isinstance(problem, _TOLD):
            return str(problem)
        case _:
            return None
