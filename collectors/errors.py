"""What can go wrong in the collectors, as one tree.

CollectorError
├── ConfigurationError      a setting is wrong: names the key and the value
├── NetworkError            a venue or Kafka does not answer, or not as it should
├── RefusedError            a venue answers that it will not give what was asked for
├── UnreadableError         a file of the spool is lost (`delivery/lane.py`)
└── BrokerError             the embedded broker cannot be started, found or stopped
    ├── NoBrokerError       it does not run (yet)
    ├── JavaNotFoundError   no Java 17 or newer
    └── JarsMissingError    the broker's jar files are not here and cannot be fetched
"""

from pydantic import ValidationError


class CollectorError(Exception):
    """Base of every error the collectors raise; its text is one a person can act on."""


class ConfigurationError(CollectorError):
    """A setting is wrong or missing; the text names the key and the value."""

    @classmethod
    def of(cls, error: ValidationError, prefix: str = "LIQ_") -> "ConfigurationError":
        """Return a settings class's validation error as one line per setting, by the environment variable's name."""
        return cls("; ".join(_line(dict(item), prefix) for item in error.errors(include_url=False)))


class NetworkError(CollectorError):
    """A venue or Kafka does not answer, or not as it should."""


class RefusedError(CollectorError):
    """A venue answers that it will not give what was asked for; asking the same again is of no use."""


class BrokerError(CollectorError):
    """The embedded broker cannot be started, found or stopped."""


class NoBrokerError(BrokerError):
    """No cluster is named and the embedded broker does not run; it may be started later."""


class JavaNotFoundError(BrokerError):
    """There is no Java 17 or newer; the text says what to install."""


class JarsMissingError(BrokerError):
    """Jar files of the broker are missing or damaged and cannot be fetched; the text names them and says what to do."""


def _line(item: dict[str, object], prefix: str) -> str:
    message = str(item["msg"]).removeprefix("Value error, ")
    location = item["loc"]
    if not isinstance(location, tuple) or not location:
        return message
    key = str(location[0]).upper()
    return f"{key if key.startswith(prefix) else prefix + key}={item['input']}: {message}"
