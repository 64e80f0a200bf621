"""One job of a campaign: JSON in, JSON out, and a function of its text alone.

So a job may be done by any process on any machine, twice if need be, and its result is the same bytes. A job is bounded
by its count, never by a clock; the time is the campaign's, which hands out jobs until there is none left.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Part(BaseModel):
    """Unknown keys are mistakes; values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Job(Part):
    """What to do: `count` cases of one engine, from `seed` on. `specs` are the fingerprints of what it is about."""

    engine: str
    seed: int = Field(ge=0)
    count: int = Field(gt=0)
    specs: dict[str, str]
    options: dict[str, JsonValue] = Field(default_factory=dict)


class Result(Part):
    """What came of a job: sums, coverage as `Coverage.plain` has it, and the findings, each with its seed."""

    job: Job
    figures: dict[str, int] = Field(default_factory=dict)
    coverage: list[list[str | int]] = Field(default_factory=list)
    findings: list[dict[str, Any]] = Field(default_factory=list)


Engine = Callable[[Job], Result]
"""An engine is pure: the result is a function of the job."""


class OtherSpec(ValueError):  # noqa: N818 - said of a job
    """A job is about another specification than the one that is here."""

    def __init__(self, machine: str, expected: str, was: str) -> None:
        self.machine, self.expected, self.was = machine, expected, was
        super().__init__(f"expected {machine} {expected[:16]}, was {was[:16]}; do the job where its specification is")


def perform(text: str, engines: Mapping[str, Engine], specs: Mapping[str, str]) -> str:
    """Do the job that `text` says; return its result as canonical JSON. `specs` are the fingerprints of what is here.

    Raises:
        LookupError: no engine has the job's name.
        OtherSpec: the job is about another specification.
    """
    job = Job.model_validate_json(text)
    for name, wanted in sorted(job.specs.items()):
        if specs.get(name) != wanted:
            raise OtherSpec(name, wanted, specs.get(name, "none"))
    if job.engine not in engines:
        raise LookupError(f"expected an engine of {', '.join(sorted(engines))}, was {job.engine!r}")
    return engines[job.engine](job).model_dump_json()


SPEC_LEVEL: Final = ("exhaustive", "walk", "lanes")
"""Engines that run the specification's own machines; the others run whole sessions."""
