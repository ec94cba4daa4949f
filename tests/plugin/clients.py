"""HTTP clients; each takes method and URL and returns the decoded body and headers."""

import asyncio
import gzip
import http.client
import urllib.request
from urllib.parse import urlsplit

import aiohttp
import httpx
import requests
import urllib3
from keystoneauth1 import session, token_endpoint

TOKEN = "a-live-token-12345"
HEADERS = {"X-Auth-Token": TOKEN, "Accept-Encoding": "gzip"}


def by_requests(method, url):
    answer = requests.request(method, url, headers=HEADERS)
    return answer.content, answer.headers


def by_urllib3(method, url):
    answer = urllib3.PoolManager().request(method, url, headers=HEADERS)
    return answer.data, answer.headers


def by_urllib(method, url):
    asked = urllib.request.Request(url, headers=HEADERS, method=method)
    with urllib.request.urlopen(asked) as answer:
        return _decoded(answer.read(), answer.headers)


def by_http_client(method, url):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    headers = HEADERS | {"X-Auth-Token": TOKEN.encode(), "Content-Length": 0}
    connection.request(method, f"{parts.path}?{parts.query}".rstrip("?"), headers=headers)
    answer = connection.getresponse()
    found = _decoded(answer.read(), answer.headers)
    connection.close()
    return found


def by_httpx(method, url):
    answer = httpx.request(method, url, headers=HEADERS)
    return answer.content, answer.headers


def by_httpx_async(method, url):
    async def ask():
        async with httpx.AsyncClient() as client:
            return await client.request(method, url, headers=HEADERS)

    answer = asyncio.run(ask())
    return answer.content, answer.headers


def by_aiohttp(method, url):
    async def ask():
        async with (
            aiohttp.ClientSession() as client,
            client.request(method, url, headers=HEADERS) as answer,
        ):
            return await answer.read(), answer.headers

    return asyncio.run(ask())


def by_keystoneauth1(method, url):
    client = session.Session(token_endpoint.Token(url, TOKEN))
    answer = client.request(url, method)
    return answer.content, answer.headers


def _decoded(body, headers):
    if body and headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return body, headers


CLIENTS = (
    *(by_requests, by_urllib3, by_urllib, by_http_client),
    *(by_httpx, by_httpx_async, by_aiohttp, by_keystoneauth1),
)
