"""Discord: its models, requests and responses, and the REST client. Only `rest` knows httpx."""
