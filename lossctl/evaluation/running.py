"""How a pass is run: by which engine, by how many workers, where, and who is told of its progress."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from lossctl.arguments import ensure_fields
from lossctl.dataclass import dataclass
from lossctl.errors import UsageError, option
from lossctl.evaluation.engine import Engine, connected, find_engine
from lossctl.reading.format import Shard, Source
from lossctl.reading.stores import is_remote

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Running:
    """How a pass is run; no digit of a result depends on it.

    Raises:
        UsageError: there is no such engine, it has no scheduler, or there is no thread to work with.
    """

    engine: str = "threads"
    """``serial``, ``threads``, ``processes``, ``dask``, or a plug-in's."""
    threads: int | None = None
    """How many threads or worker processes; all cores, or all of a cluster, when left out."""
    scheduler: str | None = None
    """Where the workers are, for an engine whose workers are elsewhere."""
    progress: Progress | None = None
    """Called with the number of bytes of each part that is done."""

    def __post_init__(self) -> None:
        ensure_fields(self)
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"threads must be 1 or more, not {self.threads}")
        find_engine(self.engine, self.scheduler)

    @classmethod
    def of(
        cls,
        engine: "str | Running",
        threads: int | None = None,
        scheduler: str | None = None,
        progress: Progress | None = None,
    ) -> "Running":
        """What the arguments of a public function say: a `Running` stands for all of them.

        Raises:
            UsageError: as for `Running`, or others stand beside one.
        """
        if not isinstance(engine, Running):
            return cls(engine, threads, scheduler, progress)
        if (threads, scheduler, progress) != (None, None, None):
            raise UsageError("threads, scheduler and progress are those of the Running that is the engine")
        return engine

    def over(self, source: Source) -> AbstractContextManager[Engine]:
        """The engine for a source, connected to its workers until the context is left.

        Raises:
            UsageError: the engine cannot read this source, or nobody answers at the scheduler.
        """
        engine = find_engine(self.engine, self.scheduler)
        if engine.forks and any(is_remote(file) for file in source.files):
            raise UsageError(
                f"the {engine.name} engine reads files of this machine only",
                f"URLs need {option(engine='threads')}.",
            )
        return connected(engine, self.scheduler, self.threads)

    @property
    def half(self) -> "Running":
        """The same for one of two passes, each half of the progress."""
        progress = self.progress
        return self if progress is None else replace(self, progress=lambda nbytes: progress(nbytes // 2))

    def done(self, shard: Shard) -> None:
        """Tell ``progress``, if there is one, that a shard is done."""
        if self.progress is not None:
            self.progress(shard.nbytes)


SERIAL, THREADS = Running("serial"), Running()
