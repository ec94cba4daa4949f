"""Build one request for images/detail and send it over HTTP."""
