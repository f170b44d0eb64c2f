"""Fetch pages from an API that fails now and then: retries with backoff; a page is given up without losing the others.

    whimbrel run examples/data/flaky_api.py prices --url http://127.0.0.1:8000 --pages 5

`examples/data/flaky_server.py` is such an API. A page that has arrived is never fetched again, whatever happens to
the rest.
"""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request

from whimbrel import RecoverableError, eager, task


@task(retries=4, backoff=0.05, timeout=10)
def fetch(url: str, page: int) -> list[float]:
    """One page. Trouble on the server's side is worth another try; a page that does not exist is not."""
    try:
        with urllib.request.urlopen(f"{url}/prices/{page}", timeout=5) as answer:
            return [float(price) for price in json.load(answer)]
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            raise RecoverableError(f"page {page}: the server says {error.code}") from error
        raise LookupError(f"there is no page {page}") from error


@eager
async def prices(url: str, pages: int = 5) -> dict[str, float]:
    """The mean price of each page; pages that do not exist are left out."""
    found = await asyncio.gather(*[fetch(url=url, page=page) for page in range(pages)], return_exceptions=True)
    means = {}
    for page, answer in enumerate(found):
        if isinstance(answer, list):
            means[f"page {page}"] = round(sum(answer) / len(answer), 2)
        elif not isinstance(answer, LookupError):  # the class that was raised in the worker
            raise answer
    return means
