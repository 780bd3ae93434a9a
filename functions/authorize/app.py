"""The gateway's authorizer: which project a Bearer key belongs to, and what it may do there."""

from files_api import composition
from files_api.authorizer import Authorizer

api = Authorizer(composition.keys)

lambda_handler = api.handler
