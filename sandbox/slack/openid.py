"""Sign in with Slack: what is claimed of a person, and the signed id token. https://docs.slack.dev/authentication/sign-in-with-slack."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.slack.errors import Payload
from sandbox.slack.ids import seconds
from sandbox.slack.users import User
from sandbox.slack.workspaces import Workspace

if TYPE_CHECKING:
    from sandbox.slack.world import World

LIFE = timedelta(minutes=5)
_KEY_ID = "sandbox"


def claims(workspace: Workspace, user: User, scopes: frozenset[str]) -> Payload:
    """Return what Slack says of a person, as far as they allowed."""
    first, _, last = user.real_name.partition(" ")
    body: Payload = {"sub": user.id, "https://slack.com/user_id": user.id, "https://slack.com/team_id": workspace.id}
    if workspace.enterprise is not None:
        body["https://slack.com/enterprise_id"] = workspace.enterprise.id
    if "email" in scopes and user.account is not None:
        body |= {"email": user.email, "email_verified": user.account.email_verified}
    if "profile" in scopes:
        body |= {
            "name": user.real_name,
            "given_name": first,
            "family_name": last,
            "locale": "en-US",
            "https://slack.com/team_name": workspace.name,
            "https://slack.com/team_domain": workspace.domain,
        }
    return body


def id_token(world: "World", about: Mapping[str, object], nonce: str | None) -> str:
    """Return the claims as a JWT signed with RS256."""
    now = world.clock.now()
    body = {
        "iss": world.base_url,
        "aud": world.app.client_id,
        "iat": seconds(now),
        "exp": seconds(now + LIFE),
        "auth_time": seconds(now),
        **about,
    }
    if nonce is not None:
        body["nonce"] = nonce
    head = {"typ": "JWT", "alg": "RS256", "kid": _KEY_ID}
    signed = ".".join(_encode(json.dumps(part).encode()) for part in (head, body))
    signature = _key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_encode(signature)}"


def keys() -> Payload:
    """Return the public key as a JWK set."""
    numbers = _key().public_key().public_numbers()
    modulus, exponent = (_encode(one.to_bytes((one.bit_length() + 7) // 8, "big")) for one in (numbers.n, numbers.e))
    return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": _KEY_ID, "n": modulus, "e": exponent}]}


def discovery(base_url: str) -> Payload:
    """Return the provider's description of itself."""
    return {
        "issuer": base_url,
        "authorization_endpoint": f"{base_url}/openid/connect/authorize",
        "token_endpoint": f"{base_url}/api/openid.connect.token",
        "userinfo_endpoint": f"{base_url}/api/openid.connect.userInfo",
        "jwks_uri": f"{base_url}/openid/connect/keys",
        "scopes_supported": ["openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["form_post"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
