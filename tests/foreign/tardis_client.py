"""What tardis-dev for Python reads of a service, as JSON; run by its own interpreter: `tardis_client.py ADDRESS FOLDER ASKED`.

`ASKED` is JSON: `replay` (exchange, from, to, filters) and `datasets` (exchange, types, symbols, from, to), each a list.
"""

import asyncio
import json
import os
import sys
from typing import Any

from tardis_dev import Channel, download_datasets, get_exchange_details, replay


async def _replayed(endpoint: str, folder: str, asked: dict[str, Any]) -> list[Any]:
    filters = [Channel(name=name, symbols=symbols) for name, symbols in asked["filters"]] or None
    told = replay(
        exchange=asked["exchange"], from_date=asked["from"], to_date=asked["to"], filters=filters, endpoint=endpoint,
        cache_dir=os.path.join(folder, "cache"), with_disconnects=True, decode_response=False,
    )  # fmt: skip
    return [None if each is None else [each.local_timestamp.decode(), each.message.decode()] async for each in told]


def main(address: str, folder: str, asked: dict[str, Any]) -> None:
    """Print what the client reads."""
    endpoint = f"{address}/v1"
    found: dict[str, Any] = {"replay": [asyncio.run(_replayed(endpoint, folder, each)) for each in asked["replay"]]}
    for each in asked["datasets"]:
        download_datasets(
            exchange=each["exchange"], data_types=each["types"], symbols=each["symbols"], from_date=each["from"],
            to_date=each["to"], endpoint=endpoint, download_dir=folder,
        )  # fmt: skip
    found["files"] = sorted(name for name in os.listdir(folder) if name.endswith(".csv.gz"))
    found["details"] = get_exchange_details(asked["replay"][0]["exchange"], endpoint=endpoint)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
