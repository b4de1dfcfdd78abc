"""JSON as it is written for other programs: an array of objects; objects a line each are read too."""

from typing import BinaryIO

import pyarrow as pa

from lossctl.reading.format import formats
from lossctl.reading.formats.jsonlines import JsonLines
from lossctl.reading.text_writers import JsonArrayWriter


class Json(JsonLines):
    """The JSON format."""

    name = "json"
    suffixes: tuple[str, ...] = (".json",)
    columns = True

    def writer(self, file: BinaryIO, schema: pa.Schema) -> JsonArrayWriter:
        """Begin a file.

        Raises:
            DataError: two columns have one name.
        """
        return JsonArrayWriter(file, schema.names)


formats.add(Json.name, Json())
