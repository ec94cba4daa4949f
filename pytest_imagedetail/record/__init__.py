"""Ask live clouds and keep what they answer: credentials, pages, retries, the release guard."""
