"""The reseller API: the seven actions of API v2, exactly as other panels' clients expect them."""
