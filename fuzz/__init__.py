"""Calling the API with whatever its OpenAPI document allows, and with much that it does not: `python -m fuzz`."""
