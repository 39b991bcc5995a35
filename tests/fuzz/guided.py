"""`python -m tests.fuzz.guided TARGET [libFuzzer options]`: one target, guided by the coverage of the code it reaches."""

import sys

import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]

with atheris.instrument_imports(
    include=["collectors.envelope", "collectors.venues", "pipelines.reading", "pipelines.venues"]
):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
