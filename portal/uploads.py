"""What may be uploaded: nothing beyond UPLOAD_MAX_BYTES, wherever it is sent.

Django limits the fields of a form and leaves its files to whoever reads them, which is after they were written to the
disk. So the whole request is measured before the first byte is kept.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler


class Bounded(FileUploadHandler):
    """Stands before the handlers that keep files; raises RequestDataTooBig, which a page of ours answers."""

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: Any = None
    ) -> None:
        if content_length > settings.UPLOAD_MAX_BYTES:
            raise RequestDataTooBig("The request has more bytes than any form of the panel.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
