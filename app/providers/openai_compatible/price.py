"""Whether the servers of the OpenAI kind cost money, where nobody has said so."""

import asyncio
import ipaddress
import logging
import socket
from urllib.parse import urlsplit

from app.settings import Settings, is_local_address

logger = logging.getLogger(__name__)

LOOKUP_SECONDS = 2.0


async def with_price(settings: Settings) -> Settings:
    """The settings with `openai_paid` decided by what the addresses lead to: this machine and its network are free.

    By how they are spelled only where no name server answers. All of them cost money, or none.
    """
    if settings.openai_paid != "auto" or not settings.openai_servers:
        return settings
    free = await asyncio.gather(*(_is_free(url) for url, _ in settings.openai_servers))
    return settings.model_copy(update={"openai_paid": "no" if all(free) else "yes"})


async def _is_free(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return is_local_address(url)
    addresses = [ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in found]
    return all(address.is_loopback or address.is_private for address in addresses)
