"""Hears the simulated Acme, and prints its list of contracts, a liquidation of the market's, one of a flood, and the truth."""

import asyncio
import json

import httpx
from websockets.asyncio.client import connect

from collectors.simulator import Phases, Simulator


async def main() -> None:
    async with Simulator(coins=["BTC"], phases=Phases(trickle=200), venues=["acme"]) as simulator:
        env = simulator.env()
        async with connect(env["LIQ_ACME_WS"] + "/v1") as socket, httpx.AsyncClient(trust_env=False) as http:
            print((await http.get(env["LIQ_ACME_REST"] + "/v1/contracts")).text)
            await socket.send('{"op":"subscribe","id":"7","symbols":["BTC-PERP"]}')
            print(await socket.recv())
            print(await socket.recv())
            simulator.fault("http_503", "acme", count=1)
            print((await http.get(env["LIQ_ACME_REST"] + "/v1/contracts")).status_code)
            simulator.fault("flood", "acme", count=3)
        print(json.dumps(simulator.truth()["acme"]))


asyncio.run(main())
