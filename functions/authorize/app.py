"""The gateway's authorizer: which project a Bearer key belongs to, and what it permits."""

from files_api import composition
from files_api.api.authorizer import Authorizer

lambda_handler = Authorizer(composition.keys)
