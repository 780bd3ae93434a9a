"""The OpenAPI document of the API, made from its code."""
