"""How Slack signs what it sends: https://docs.slack.dev/authentication/verifying-requests-from-slack."""

import hashlib
import hmac
from collections.abc import Mapping


def signed(secret: str, moment: int, body: bytes) -> Mapping[str, str]:
    """Return the headers that sign ``body`` at ``moment`` (Unix seconds)."""
    digest = hmac.new(secret.encode(), b"v0:%d:%s" % (moment, body), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(moment), "X-Slack-Signature": f"v0={digest}"}
