"""The gateway's authorizer: from a Bearer key to a policy.

Source: Amazon API Gateway, "Output from an API Gateway Lambda authorizer".
"""

from typing import Any

from files_api.api.function import Event, Function
from files_api.service.keys import Key, Keys


class Authorizer(Function[Keys]):
    """A Lambda authorizer of type TOKEN.

    Args:
        compose: makes the keys of the deployment; called once, by `start`.
    """

    def handle(self, event: Event) -> dict[str, Any]:
        """Allows the whole API to an active key, and denies it to any other.

        The gateway caches the policy by token and uses it for all routes, so it must cover all of
        them. The functions check the scope, which differs by route. Denials are cached as well.
        """
        secret = _bearer(event["authorizationToken"])
        return _policy(event["methodArn"], self.start().find(secret) if secret else None)


def _bearer(token: str) -> str:
    """The key in `Bearer <key>`, "" if there is none. The scheme is in any case (RFC 9110)."""
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
        limits = {"max_files": key.max_files, "max_bytes": key.max_bytes}
        policy["context"] = {"project": key.project, "scopes": " ".join(key.scopes)} | {
            name: limit for name, limit in limits.items() if limit is not None
        }
    return policy
