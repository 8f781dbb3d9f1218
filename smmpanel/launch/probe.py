"""Whether the web process of this container can serve; the image's health check. Other containers have none to ask."""

from __future__ import annotations

import http.client
import sys
from urllib.parse import urlsplit

from smmpanel import settings


def main() -> int:
    connection = http.client.HTTPConnection("127.0.0.1", settings.PORT, timeout=7)
    try:
        connection.request("GET", "/healthz/ready", headers={"Host": urlsplit(settings.PUBLIC_URL).netloc})
        return 0 if connection.getresponse().status == http.client.OK else 1
    except OSError:
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
