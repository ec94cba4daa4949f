"""Query live clouds and record their answers: credentials, pages, retries, the release guard."""
