"""Discord's side: its models and responses, and the REST client. Only `rest` knows httpx."""
