"""What can go wrong in the pipelines, as one tree.

    PipelineError
    ├── UsageError            a command was asked for something that does not exist; the text lists what does
    │   └── NotADumpError     a file is none of the files that can be imported
    ├── AlreadyRunningError   another ingest works in this world
    ├── LogChangedError       a Kafka log is not the one that was being read
    ├── StartError            a part of the pipeline did not start
    ├── EndedError            a process that does the work ended before it was done; it said why
    ├── NothingToPlotError    what was asked for has no rows, so there is no picture
    ├── AskError              what a program asked for cannot be answered (`client/asking.py`)
    └── InvalidPositionError  a position that cannot be, such as one that is liquidated as soon as it is opened

Bad data is no exception here: a frame that cannot be read becomes a `rows.Rejected` and then a dead letter.
"""


class PipelineError(Exception):
    """Base of every error the pipelines raise; its text is one a person can act on."""


class UsageError(PipelineError):
    """A command was asked for a venue, channel or file that does not exist; the text lists the known ones."""


class AlreadyRunningError(PipelineError):
    """Another ingest works in this world; the text names its process."""


class LogChangedError(PipelineError):
    """A Kafka log is not the one that was being read: its topic is another one, or it lacks what it had. Ask again what is
    stored, and where to go on."""


class EndedError(PipelineError):
    """A process that does the work ended before it was done. The text is its last line, which was shown already.

    `code`: its exit code, below 0 the signal that ended it.
    """

    def __init__(self, line: str, code: int) -> None:
        super().__init__(line)
        self.code = code


class NotADumpError(UsageError):
    """A file is none of those that can be imported, or is damaged; the text names it and says why."""


class InvalidPositionError(PipelineError):
    """A position, or the margin table given for it, cannot be; the text says why."""


class NothingToPlotError(PipelineError):
    """There are no rows for the picture that was asked for; the text says of what, and where there are some."""
