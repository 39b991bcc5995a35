"""What goes on beside a disturbance, for as long as a block runs."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self


class Beside(ABC):
    """Its `run` goes on until the block of `running` ends."""

    @abstractmethod
    async def run(self) -> None:
        """Go on until cancelled."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Run until the block ends. Raises what `run` failed with."""
        task = asyncio.create_task(self.run())
        try:
            yield self
        finally:
            task.cancel()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended
