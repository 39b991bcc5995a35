"""Settings of the backfill."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class BackfillSettings(BaseSettings):
    """Read from the environment, prefix LIQ_BACKFILL_. Times in seconds."""

    model_config = SettingsConfigDict(env_prefix="LIQ_BACKFILL_")

    share: float = Field(
        0.4, gt=0, le=1, description="share of a venue's REST budget; a collector beside it plans for less than half"
    )
    at_once: int = Field(6, ge=1, le=32, description="requests under way at once")
    longest_stop_s: float = Field(
        900.0, ge=0, description="seconds to wait where the venue says stop; longer, and the backfill ends"
    )
    first_delay_s: float = Field(0.5, gt=0, description="first delay before a failed request is repeated; it doubles")
    save_s: float = Field(1.0, gt=0, description="seconds between two notes of what Kafka has")
