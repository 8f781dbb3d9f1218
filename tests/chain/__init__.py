"""Our panel as the provider of our panel: two of them, one in this process and one in others, over HTTP."""
