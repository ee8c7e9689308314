"""The ``Stripe-Signature`` header: docs.stripe.com/webhooks#verify-manually."""

import hashlib
import hmac


def sign(secrets: list[str], moment: int, body: str) -> str:
    """Return the header for ``body`` at Unix time ``moment``: one v1 for each secret in force, two while one is being rolled."""
    signed = f"{moment}.{body}".encode()
    found = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={moment}", *(f"v1={each}" for each in found)])
