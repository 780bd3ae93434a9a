"""Bearer keys for API Gateway: from a token to a policy.

Source: Amazon API Gateway, "Output from an API Gateway Lambda authorizer".
"""

from collections.abc import Mapping
from typing import Any

from files_api.endpoint import Endpoint
from files_api.keys import Key, Keys


class Authorizer(Endpoint[Keys]):
    """A Lambda authorizer of type TOKEN.

    Args:
        compose: makes the keys it looks tokens up in; called once, at `start`.
    """

    def handler(self, event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        """The Lambda handler: allows the whole API to a good key and denies it to any other.

        The gateway caches the policy by token, across routes; so it covers all of them, and what
        differs by route, the scope, is left to the function. A denial is cached just as well.
        """
        secret = _bearer(event["authorizationToken"])
        return _policy(event["methodArn"], self.start().find(secret) if secret else None)


def _bearer(token: str) -> str:
    """The key in `Bearer <key>`; "" where there is none (RFC 9110: the scheme in any case)."""
    scheme, _, secret = token.strip().partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _policy(method_arn: str, key: Key | None) -> dict[str, Any]:
    api_stage = "/".join(method_arn.split("/", 2)[:2])
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow" if key else "Deny",
        "Resource": f"{api_stage}/*",
    }
    policy: dict[str, Any] = {
        "principalId": key.id if key else "unknown",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
    if key:
        policy["context"] = {"project": key.project, "scopes": " ".join(key.scopes)}
    return policy
