"""Several shards at once on a pool of threads: Arrow and NumPy release the interpreter's lock where it matters."""

from collections.abc import Callable, Iterable, Iterator

from lossctl.evaluation.engine import WORKER, Item, Output, ahead, available_cores, engines
from lossctl.reading.turns import in_turn


class Threads:
    """A pool of threads that never runs ahead by more than two shards a worker."""

    name = "threads"
    forks = False

    def map(
        self, function: Callable[[Item], Output], items: Iterable[Item], workers: int | None = None
    ) -> Iterator[Output]:
        """Results in the order of the items."""
        from concurrent.futures import Future, ThreadPoolExecutor  # noqa: PLC0415  (every run loads this module)

        workers = workers or available_cores()
        pool, taken = ThreadPoolExecutor(workers, thread_name_prefix=WORKER), ahead(items)
        try:
            yield from in_turn(lambda item: pool.submit(function, item), Future.result, taken, lambda: 2 * workers)
        finally:
            taken.close()
            pool.shutdown(wait=False, cancel_futures=True)


engines.add(Threads.name, Threads())
