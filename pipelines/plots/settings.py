"""How pictures look where nothing else is asked for."""

from enum import StrEnum

from pydantic_settings import BaseSettings, SettingsConfigDict


class PaletteName(StrEnum):
    """seed: longs green, shorts red. colourblind: longs blue, shorts orange. opposite: longs red, shorts green."""

    SEED = "seed"
    COLOURBLIND = "colourblind"
    OPPOSITE = "opposite"


class ThemeName(StrEnum):
    """light: dark letters on white, more is darker. dark: light letters on near black, more is brighter."""

    LIGHT = "light"
    DARK = "dark"


class PlotSettings(BaseSettings):
    """Settings of pictures, read from the environment with the prefix LIQ_."""

    model_config = SettingsConfigDict(env_prefix="LIQ_", extra="ignore", env_ignore_empty=True)

    palette: PaletteName = PaletteName.SEED
    theme: ThemeName = ThemeName.LIGHT
