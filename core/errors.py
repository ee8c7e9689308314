"""Errors by what to do about them: the class says when to try again, ``remedy`` says who must act."""

from enum import StrEnum


class Remedy(StrEnum):
    """Who must act before a permanently failed step can succeed."""

    MEMBER = "member"
    CREATOR = "creator"
    OPERATOR = "operator"


class ExternalError(Exception):
    """A call to the outside failed. ``code`` is the vendor's own word for it; the SDK's error is the ``__cause__``."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class TransientError(ExternalError):
    """Network, 5xx, timeout: the effect is unknown, trying again is safe and may help."""


class RateLimited(TransientError):  # noqa: N818 - the field's word
    """Told to wait ``retry_after`` seconds; the attempt does not count."""

    def __init__(self, message: str, *, retry_after: float, code: str = "") -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class PermanentError(ExternalError):
    """Fails until somebody acts: our bug or token, unless a subclass says otherwise."""

    remedy: Remedy = Remedy.OPERATOR


class KeyRefused(PermanentError):  # noqa: N818
    """Our key is not accepted, or may not do this: nothing asked with it would fare better until the operator acts."""


class MemberUnreachable(PermanentError):  # noqa: N818
    """The person is not there: left, direct messages closed, banned, deleted. On a revoke that is as good as done."""

    remedy = Remedy.MEMBER


class PermissionMissing(PermanentError):  # noqa: N818
    """We may not: a permission, a scope, or a role above ours. On a revoke it stays open."""

    remedy = Remedy.CREATOR


class ResourceMissing(PermanentError):  # noqa: N818
    """The role, channel or group is gone. On a revoke that is as good as done."""

    remedy = Remedy.CREATOR


class InstallationRevoked(PermanentError):  # noqa: N818
    """We were removed from the space, or it is gone."""

    remedy = Remedy.CREATOR


class Refusal(Exception):  # noqa: N818 - nobody erred: the answer is no
    """The answer is no, with a sentence for the person who asked that says why and what to do next. ``code`` is for tests and pages."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
